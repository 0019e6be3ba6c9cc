// `memory-process.ts FOLDER PART`: one part of a worker by itself over a large product; prints its memory as JSON.
import { LargeProduct } from "./large-product.ts";

const [folder = "", part = "", slots = "0"] = process.argv.slice(2);
const product = await LargeProduct.start("timeseries", folder);
switch (part) {
  case "nothing opened":
    break;
  case "ledger":
    await product.ledger.counts(product.dataset.name);
    await product.ledger.newest(product.dataset.name, 100);
    for (const key of ["20000601T000000Z", "20050601T000000Z"]) await product.ledger.revisionsOf(product.dataset.name, key);
    break;
  case "publisher, 20 publications":
    for (let turn = 0; turn < 20; turn++) {
      await product.makeReady([Number(slots) + 10 + turn]);
      await product.settle();
    }
    break;
  default:
    throw new Error(`no part ${part}`);
}
const peak = process.resourceUsage().maxRSS / 1024;
global.gc?.();
const { rss, heapUsed } = process.memoryUsage();
const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
console.log(JSON.stringify({ "RSS MiB": mebibytes(rss), "heap MiB": mebibytes(heapUsed), "peak MiB": Math.round(peak) }));
process.exit(0);
