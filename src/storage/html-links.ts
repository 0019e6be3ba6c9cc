/** A link of a page, with what stands behind it in its row. */
export interface HtmlLink {
  /** As the page has it, character references resolved. */
  readonly href: string;
  /** Text and `datetime` attributes up to the next link, at most 300 characters. */
  readonly beside: string;
}

const MOST_BESIDE = 300;
/** An address that is longer is no file's name. */
const MOST_HREF = 4_096;

/**
 * The links of an HTML page: the `href` of every `a`, in order, comments and scripts aside. One pass from left to right: whatever the
 * page holds, it takes time in proportion to its length.
 */
export function linksIn(html: string, most: number): HtmlLink[] {
  const links: { href: string; beside: string }[] = [];
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    addBeside(
      links.at(-1),
      html.slice(at, open < 0 ? Math.min(html.length, at + MOST_BESIDE) : Math.min(open, at + MOST_BESIDE)),
    );
    if (open < 0) break;
    if (html.startsWith("<!--", open)) {
      at = after(html, "-->", open);
      continue;
    }
    const tag = readTag(html, open);
    at = tag.end;
    if (tag.name === "script" || tag.name === "style") at = afterElement(html, tag.name, tag.end);
    else if (tag.name === "a" && tag.attributes.href !== undefined) {
      if (links.length >= most) break;
      links.push({ href: tag.attributes.href, beside: "" });
    } else addBeside(links.at(-1), ` ${tag.attributes.datetime ?? ""} `);
  }
  return links;
}

function addBeside(link: { beside: string } | undefined, text: string): void {
  if (link !== undefined && link.beside.length < MOST_BESIDE) link.beside = (link.beside + text).slice(0, MOST_BESIDE);
}

interface Tag {
  /** In lower case; "" for what is none, `/a` for an end. */
  readonly name: string;
  readonly attributes: { href?: string; datetime?: string };
  /** Where the text goes on. */
  readonly end: number;
}

const SPACE = " \t\r\n\f";

function readTag(html: string, open: number): Tag {
  let at = open + 1;
  const begin = at;
  while (at < html.length && !SPACE.includes(html.charAt(at)) && html[at] !== ">" && at - begin < 32) at++;
  const name = html.slice(begin, at).toLowerCase();
  const attributes: { href?: string; datetime?: string } = {};
  while (at < html.length && html[at] !== ">") {
    if (SPACE.includes(html.charAt(at)) || html[at] === "/") {
      at++;
      continue;
    }
    const from = at;
    while (at < html.length && !`${SPACE}=>`.includes(html.charAt(at))) at++;
    const key = html.slice(from, Math.min(at, from + 32)).toLowerCase();
    while (at < html.length && SPACE.includes(html.charAt(at))) at++;
    if (html[at] !== "=") continue;
    at++;
    while (at < html.length && SPACE.includes(html.charAt(at))) at++;
    const quote = html[at];
    let value: string;
    if (quote === '"' || quote === "'") {
      const close = html.indexOf(quote, at + 1);
      value = html.slice(at + 1, close < 0 ? html.length : close);
      at = close < 0 ? html.length : close + 1;
    } else {
      const valueFrom = at;
      while (at < html.length && !`${SPACE}>`.includes(html.charAt(at))) at++;
      value = html.slice(valueFrom, at);
    }
    if ((key === "href" || key === "datetime") && attributes[key] === undefined && value.length <= MOST_HREF)
      attributes[key] = withoutReferences(value.trim());
  }
  return { name, attributes, end: Math.min(html.length, at + 1) };
}

function after(html: string, text: string, from: number): number {
  const found = html.indexOf(text, from);
  return found < 0 ? html.length : found + text.length;
}

/** The element's content is no HTML: it ends with its end tag, however that is written. */
function afterElement(html: string, name: string, from: number): number {
  for (let at = html.indexOf("</", from); at >= 0; at = html.indexOf("</", at + 2))
    if (html.slice(at + 2, at + 2 + name.length).toLowerCase() === name) return at;
  return html.length;
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function withoutReferences(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,4});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return NAMED[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
