/** What `parts` says: a whole file with its size, or blocks, which nobody should put together (the makers of Sarracenia say so). */
export type Parts = { readonly kind: "whole"; readonly size: number } | { readonly kind: "blocks" } | { readonly kind: "faulty" };

/** `method,bytes,count,remainder,number`; method `1` is a whole file, `i` and `p` are blocks. */
export function parseParts(parts: string): Parts {
  const [method, size = ""] = parts.split(",");
  if (method === "i" || method === "p") return { kind: "blocks" };
  if (method !== "1" || !/^\d{1,15}$/.test(size)) return { kind: "faulty" };
  return { kind: "whole", size: Number(size) };
}
