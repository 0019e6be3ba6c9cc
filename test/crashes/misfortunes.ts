import type { Step } from "../../src/steps/index.ts";
import type { Mishap, Order } from "./order.ts";
import type { Misfortunes } from "./play-story.ts";

const at = (mishap: Mishap, ...steps: readonly Step[]): Order[] => steps.map((step) => ({ step, mishap }));

/** The worker dies at every step that there is, in every kind of act. */
export const DEATHS: Misfortunes = {
  "the first granule arrives": at(
    "dies",
    "download: revision heard",
    "download: part copied",
    "download: copy in place",
    "scan: artefact kept",
    "scan: gate passed",
    "record: before the ledger",
    "record: half told",
    "record: before the wake",
  ),
  "an earlier one arrives late": at(
    "dies",
    "publish: before flush",
    "publish: part flushed",
    "publish: after flush",
    "publish: verified",
    "publish: swapped",
    "publish: before the ledger",
    "publish: ledger half told",
    "publish: ledger told",
  ),
  "one is replaced": at("dies", "record: half told", "publish: swapped", "publish: ledger half told"),
  "one has drifted, and is skipped": [
    { step: "record: half told", mishap: "dies" },
    { step: "record: before the ledger", mishap: "dies", time: 2 },
  ],
  "one has drifted, and is accepted": at("dies", "scan: gate passed", "record: before the wake", "publish: ledger half told"),
  "an operator rolls back": at("dies", "publish: verified", "publish: swapped", "operate: before the answer"),
  "one arrives while the product is held": at("dies", "record: before the wake"),
  "the operator releases": at(
    "dies",
    "publish: part flushed",
    "publish: swapped",
    "publish: ledger half told",
    "operate: before the answer",
  ),
  "the product is rebuilt": at("dies", "publish: after flush", "publish: swapped", "publish: ledger told"),
  "a range is rebuilt": at("dies", "scan: artefact kept", "publish: verified", "publish: before the ledger"),
  "the store is tidied": [
    { step: "upkeep: before removing", mishap: "dies" },
    { step: "upkeep: object removed", mishap: "dies", time: 3 },
    { step: "upkeep: before the record", mishap: "dies" },
  ],
  "the dataset file changes": at(
    "dies",
    "change: products prepared",
    "publish: swapped",
    "change: products switched",
    "operate: before the answer",
  ),
};

/** The deaths that leave the most behind. */
export const FEW_DEATHS: Misfortunes = {
  "the first granule arrives": at("dies", "scan: gate passed", "record: before the wake"),
  "an earlier one arrives late": at("dies", "publish: after flush"),
  "one is replaced": at("dies", "publish: swapped"),
  "the operator releases": at("dies", "publish: ledger half told"),
  "the store is tidied": [{ step: "upkeep: object removed", mishap: "dies", time: 3 }],
};

/** A worker is taken for dead, and wakes when another one has done its work, or has gone further. */
export const SLEEPS: Misfortunes = {
  "the first granule arrives": [
    { step: "record: before the ledger", mishap: "sleeps", wakesAfter: "one is replaced" },
    { step: "publish: after flush", mishap: "sleeps" },
  ],
  "an earlier one arrives late": [
    { step: "download: part copied", mishap: "sleeps" },
    { step: "record: before the ledger", mishap: "sleeps", wakesAfter: "one is replaced" },
    { step: "publish: verified", mishap: "sleeps" },
  ],
  "one fills the gap": [{ step: "publish: before the ledger", mishap: "sleeps", wakesAfter: "one is replaced" }],
  "one has drifted, and is skipped": at("sleeps", "record: before the ledger"),
  "one has drifted, and is accepted": at("sleeps", "scan: gate passed"),
  "an operator rolls back": [{ step: "publish: verified", mishap: "sleeps", wakesAfter: "the operator releases" }],
  "the product is rebuilt": at("sleeps", "publish: swapped"),
  "the store is tidied": [{ step: "upkeep: before removing", mishap: "sleeps", wakesAfter: "one arrives after that" }],
  "the dataset file changes": at("sleeps", "change: products prepared"),
};

/** The Temporal server dies while a worker has something to tell it. */
export const TEMPORAL_DEATHS: Misfortunes = {
  "the first granule arrives": at("temporal dies", "scan: artefact kept", "record: before the wake", "publish: after flush"),
  "an earlier one arrives late": at("temporal dies", "download: copy in place", "publish: ledger told"),
  "one has drifted, and is accepted": at("temporal dies", "record: before the ledger"),
  "an operator rolls back": at("temporal dies", "publish: swapped"),
  "the product is rebuilt": at("temporal dies", "operate: before the answer"),
  "the store is tidied": at("temporal dies", "upkeep: object removed"),
};

/** The ledger's server dies while a worker has something to tell it. */
export const POSTGRES_DEATHS: Misfortunes = {
  "the first granule arrives": at(
    "postgres dies",
    "download: revision heard",
    "scan: artefact kept",
    "record: half told",
    "publish: before the ledger",
  ),
  "an earlier one arrives late": at("postgres dies", "record: before the ledger", "publish: ledger half told"),
  "one is replaced": at("postgres dies", "record: half told", "publish: swapped", "publish: ledger told"),
  "an operator rolls back": at("postgres dies", "publish: verified"),
  "the operator releases": at("postgres dies", "publish: ledger half told"),
  "the dataset file changes": at("postgres dies", "change: products switched"),
};
