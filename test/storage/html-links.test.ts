import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { linksIn } from "../../src/storage/html-links.ts";

const hrefs = (html: string): string[] => linksIn(html, 1_000).map(({ href }) => href);

describe("the links of a page", () => {
  test("in every way that HTML writes them", () => {
    const html = `<A HREF="a.nc">a</A><a class='x' href='b c.nc'>b</a><a href=c.nc>c</a><a
      data-x="<a href=no>" href = "d.nc?x=1&amp;y=2">d</a><a name="x">e</a><a href="&#x66;&#46;nc">f</a><abbr href="no">`;
    assert.deepEqual(hrefs(html), ["a.nc", "b c.nc", "c.nc", "d.nc?x=1&y=2", "f.nc"]);
  });

  test("not those in comments, scripts and styles", () => {
    const html = `<!-- <a href="1"> --><script>var x = '<a href="2">';</script><STYLE><a href="3"></style ><a href="4">`;
    assert.deepEqual(hrefs(html), ["4"]);
  });

  test("what stands behind a link is told with it, in bounds", () => {
    const [link, next] = linksIn(`<a href="a">a</a> 2026-11-21 <b>15:04</b> ${"x".repeat(1_000)}<a href="b">`, 10);
    assert.match(link?.beside ?? "", /^a\s+2026-11-21\s+15:04\s+x+$/);
    assert.deepEqual([link?.beside.length, next?.beside], [300, ""]);
  });

  test("a limit ends it", () => assert.equal(linksIn('<a href="x">'.repeat(50), 7).length, 7));

  // Each would take minutes, were anything looked for again from every place.
  const hostile: readonly (readonly [name: string, html: string, links: number])[] = [
    ["tags that never end", "<a ".repeat(1_000_000), 0],
    ["quotes that never end", '<a href="'.repeat(500_000), 1],
    ["comments that never end", "<!--".repeat(1_000_000), 0],
    ["scripts that never end", "<script>".repeat(500_000), 0],
    ["ends of other elements", `<script>${"</".repeat(1_000_000)}`, 0],
    ["attributes without values", `<a ${"x ".repeat(1_000_000)}href=y>`, 1],
    ["references that are none", `<a href="${"&a".repeat(2_000)}">`, 1],
    ["an address without end", `<a href="${"x".repeat(1_000_000)}">`, 0],
    ["signs of less", "<".repeat(3_000_000), 0],
  ];
  for (const [name, html, links] of hostile) {
    test(`hostile: ${name}`, { timeout: 20_000 }, () => assert.equal(linksIn(html, 1_000).length, links));
  }
});
