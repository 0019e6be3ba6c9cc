import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import type { RevisionId } from "../../src/ledger/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import type { ExpectedGroup, FileComparer } from "../support/python.ts";
import { Workshop } from "./workshop.ts";

/** A workshop under a document of a dataset file, without its sources: files are put into its source `s`. */
export async function workshopFor(document: string): Promise<Workshop> {
  const workshop = await Workshop.start();
  useDocument(workshop, document);
  return workshop;
}

export function useDocument(workshop: Workshop, document: string): void {
  const yaml = `sources: { s: { at: "in/" } }\n---\n${document}`;
  workshop.dataset = parseDatasetFile(yaml, { file: join(workshop.folder, "d.yaml") }).datasets[0] as Dataset;
  workshop.publisher = workshop.newPublisher();
}

/** The files of a folder whose names fit, in the order of their names. */
export async function inOrder(folder: string, pattern: RegExp): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => pattern.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** Hands a file in. @throws what the gate says of one that does not fit. */
export async function handIn(workshop: Workshop, path: string): Promise<RevisionId> {
  return workshop.deliver(basename(path), await readFile(path));
}

/** Delivers files in this order, so many to a publication. */
export async function publishFiles(workshop: Workshop, paths: readonly string[], together = 1): Promise<void> {
  for (let first = 0; first < paths.length; first += together) {
    for (const path of paths.slice(first, first + together)) await handIn(workshop, path);
    assert.equal((await workshop.settle()).length, 1);
  }
}

/** Has xarray hold the newest version against the files. */
export async function compareNewest(
  comparer: FileComparer,
  { dataset, folder }: Workshop,
  expected: Readonly<Record<string, ExpectedGroup>>,
  atLeast: number,
): Promise<void> {
  const state = await lookAtProduct(dataset, dataset.products[0] as Dataset["products"][number]);
  assert.ok(state !== undefined);
  await comparer.compare(join(folder, "store"), state.head, expected, atLeast);
}
