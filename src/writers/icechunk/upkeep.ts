import { FreshetError } from "../../errors/index.ts";
import { reached } from "../../steps/index.ts";
import { isCandidateBranch } from "./candidate-branch.ts";
import { InUse, type Root } from "./in-use.ts";
import type { StoredObject, StoreFolder } from "./store-folder.ts";
import { isObjectName } from "./stored/object-id.ts";
import { ancestryIn, type RepositoryInfo, readRepositoryInfo, type SnapshotEntry } from "./stored/repository-info.ts";
import { notKnown } from "./stored/stored-file.ts";
import { isPartMessage } from "./stored-versions.ts";
import { markSwept } from "./sweep-mark.ts";

const MAIN = "main";

/** What a store's folder holds, by what upkeep does with it. */
export const OBJECT_KINDS = ["snapshot", "transaction", "manifest", "chunk", "overwritten", "temporary"] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/**
 * Which versions stay readable: those of this list, wherever they are; or of `main` the newest ones and all that are young. The
 * published one stays always.
 */
export type Retention = readonly string[] | { readonly newest: number; readonly youngerThanMs?: number };

export interface UpkeepOptions {
  readonly retain: Retention;
  /**
   * Whatever is younger than this stays: it may belong to a publication that is being made. Longer than any publication takes from
   * its first chunk to its swap; one that takes longer is refused at the swap.
   */
  readonly graceMs: number;
  /**
   * The newest version that the caller has published. Where `main` was not made from it, somebody has moved the branch: that is a
   * conflict, and nothing is removed.
   */
  readonly published?: string;
  /** Tells what would be removed, and removes nothing. */
  readonly dryRun?: boolean;
  /** The moment from which ages are counted, in milliseconds since 1970; now where it is left out. */
  readonly now?: number;
  /** Called after each file that was read to learn what is in use. */
  readonly tick?: () => void;
  /** Called after each object that was removed (or would be). What it throws ends the work; that is safe at any point. */
  readonly onRemove?: (removed: { readonly kind: ObjectKind; readonly path: string; readonly bytes: number }) => void;
}

export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

export interface UpkeepReport {
  /** What was there, and what of it was removed (or would be). What others wrote meanwhile is in neither. */
  readonly kinds: Readonly<Record<ObjectKind, { readonly before: Amount; readonly removed: Amount }>>;
  readonly before: Amount;
  readonly removed: Amount;
  /** Versions of `main` that stay readable, and those that are not from now on. */
  readonly versions: { readonly retained: number; readonly expired: number };
  /** Branches that crashed publications left. */
  readonly branches: readonly string[];
}

/** How often a store is looked at again because something was published meanwhile. */
const LOOKS = 50;

/** A folder of the repository, by the kind of what is in it. */
const FOLDERS: ReadonlyMap<string, ObjectKind> = new Map([
  ["snapshots", "snapshot"],
  ["transactions", "transaction"],
  ["manifests", "manifest"],
  ["chunks", "chunk"],
]);
const OVERWRITTEN = /^overwritten\/repo\.\d+\.[0-9A-Z]{20}$/;
/** What `writeWhole` leaves when its process dies. */
const TEMPORARY = /(^|\/)\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Found extends StoredObject {
  readonly kind: ObjectKind;
}

/**
 * Removes what nothing needs, by mark and sweep. In use is what can be reached from a retained version of `main`, from the head of
 * any branch or tag, and from any snapshot that is younger than the grace. What is to go is settled at one moment, under the
 * store's lock, in agreement with publishers: before that, a publisher makes its snapshot young and so seen here; after
 * that it finds the mark of the sweep and gives up what it began before the cutoff. What is published later consists of what
 * was in use at that moment and of what was written after the cutoff, neither of which is removed.
 *
 * Snapshots go first, so that a version is either whole or says that it has expired, wherever the work ends.
 */
export async function upkeep(
  folder: StoreFolder,
  removeBranch: (name: string) => Promise<void>,
  options: UpkeepOptions,
): Promise<UpkeepReport> {
  const plan = await planOf(folder, options);
  const found = (await folder.list("")).flatMap((object) => ofKind(object) ?? []);
  const inUse = new InUse(folder, options.tick);
  const info = await settle(folder, inUse, plan, options.dryRun === true);
  const branches = abandonedIn(info, plan.cutoffMs);
  if (!options.dryRun) for (const name of branches) await removeBranch(name);

  const doomed = found
    .filter(({ kind, path, changedMs }) => changedMs < plan.cutoffMs && !inUse.has(kind, nameOf(path)))
    .sort((one, other) => OBJECT_KINDS.indexOf(one.kind) - OBJECT_KINDS.indexOf(other.kind));
  if (doomed.length > 0) reached("upkeep: before removing");
  for (const { kind, path, bytes } of doomed) {
    if (!options.dryRun) {
      await folder.remove(path);
      reached("upkeep: object removed");
    }
    options.onRemove?.({ kind, path, bytes });
  }
  return reportOf(found, doomed, info, branches);
}

/** What an upkeep goes by. */
interface Plan {
  /** Of the versions of `main`, by their place from the newest. */
  readonly isRetained: (version: SnapshotEntry, place: number) => boolean;
  /** Retained by name. */
  readonly named: ReadonlySet<string>;
  readonly published: string | undefined;
  /** What was changed before this may go. */
  readonly cutoffMs: number;
}

async function planOf(folder: StoreFolder, options: UpkeepOptions): Promise<Plan> {
  const { retain, graceMs, published, dryRun = false, now = Date.now() } = options;
  const rule = "newest" in retain ? retain : undefined;
  for (const [name, value] of Object.entries({ graceMs, newest: rule?.newest ?? 0, youngerThanMs: rule?.youngerThanMs ?? 0 }))
    if (!(value >= 0)) throw new RangeError(`${name} is ${value}`);
  // Never beyond the file system's own time: what is written from now on must not count as old.
  const cutoffMs = Math.min(now - graceMs, dryRun ? Number.POSITIVE_INFINITY : await folder.now());
  const young = now - (rule?.youngerThanMs ?? 0);
  return {
    isRetained: ({ writtenMs }, place) =>
      rule !== undefined && (place < rule.newest || (rule.youngerThanMs !== undefined && writtenMs > young)),
    named: new Set(rule === undefined ? (retain as readonly string[]) : []),
    published,
    cutoffMs,
  };
}

/** Marks what is in use until, at one moment, nothing is left that is not marked. Answers the repository as of that moment. */
async function settle(folder: StoreFolder, inUse: InUse, plan: Plan, isDryRun: boolean): Promise<RepositoryInfo> {
  const look = async (): Promise<{ info: RepositoryInfo; roots: ReadonlyMap<string, Root> }> => {
    const info = await infoOf(folder);
    // In this order: a snapshot is there before it has a name.
    return { info, roots: inUse.without(rootsOf(info, await folder.list("snapshots"), plan, folder)) };
  };
  let { info, roots } = await look();
  if (isDryRun) {
    await inUse.mark(roots);
    return info;
  }
  for (let looks = 0; looks < LOOKS; looks++) {
    await inUse.mark(roots);
    ({ info, roots } = await folder.lock.hold(async () => {
      const seen = await look();
      if (seen.roots.size === 0) await markSwept(folder, plan.cutoffMs);
      await folder.lock.removeRemains();
      return seen;
    }));
    if (roots.size === 0) return info;
  }
  throw new FreshetError("conflict", "too much is being published for an upkeep now", { uri: folder.root });
}

/** Snapshots from which everything that is in use can be reached. */
function rootsOf(
  info: RepositoryInfo,
  present: readonly StoredObject[],
  { isRetained, named, published, cutoffMs }: Plan,
  folder: StoreFolder,
): ReadonlyMap<string, Root> {
  const head = headOf(info, folder);
  const versions = versionsOf(info);
  if (published !== undefined && !versions.some(({ id }) => id === published)) {
    throw new FreshetError("conflict", "the published branch was moved by somebody else", {
      found: head.id,
      expected: `${published}, or a version made from it`,
      uri: folder.root,
      remedy: "Move it back, or build the store anew",
    });
  }
  const there = new Map(present.map(({ path, changedMs }) => [path, changedMs]));
  const roots = new Map<string, Root>();
  for (const [id, changedMs] of there) if (isObjectName(id) && changedMs >= cutoffMs) roots.set(id, "young");
  const abandoned = abandonedIn(info, cutoffMs);
  const branches = [...info.branches].filter(([name]) => !abandoned.includes(name));
  const wanted = [
    ...[...info.tags, ...branches].map(([, at]) => info.snapshots[at] as SnapshotEntry),
    // The empty one, too: it costs nothing, and libraries may take it for granted.
    ...info.snapshots.filter(({ id, parent }) => parent < 0 || named.has(id)),
    ...versions.filter(isRetained),
  ];
  // What is not there has expired before it was named.
  for (const { id } of wanted) if (there.has(id)) roots.set(id, "whole");
  if (!there.has(head.id)) {
    throw new FreshetError("corrupt", "the file of the published version is missing", {
      found: head.id,
      uri: folder.root,
      remedy: "Restore it from a backup, or build the store anew",
    });
  }
  return roots;
}

/** Branches of publications that were given up. */
function abandonedIn({ branches, snapshots }: RepositoryInfo, cutoffMs: number): string[] {
  return [...branches]
    .filter(([name, head]) => isCandidateBranch(name) && (snapshots[head] as SnapshotEntry).writtenMs < cutoffMs)
    .map(([name]) => name);
}

function headOf(info: RepositoryInfo, folder: StoreFolder): SnapshotEntry {
  const main = info.branches.get(MAIN);
  if (main !== undefined) return info.snapshots[main] as SnapshotEntry;
  throw new FreshetError("corrupt", "the published branch is missing", {
    expected: MAIN,
    uri: folder.root,
    remedy: "Make the branch anew at the newest version",
  });
}

/** Versions of `main`, youngest first. */
function versionsOf(info: RepositoryInfo): SnapshotEntry[] {
  const main = info.branches.get(MAIN);
  if (main === undefined) return [];
  return [...ancestryIn(info, main)].filter(({ parent, message }) => parent >= 0 && !isPartMessage(message));
}

async function infoOf(folder: StoreFolder): Promise<RepositoryInfo> {
  const bytes = await folder.read("repo");
  if (bytes === undefined) throw notKnown("a repository without the file repo", "version 2 of the format", folder.root);
  return readRepositoryInfo(bytes, folder.locate("repo"));
}

/** An object with its kind; undefined for what is not Icechunk's, which is nobody's to remove. */
function ofKind(object: StoredObject): Found | undefined {
  if (TEMPORARY.test(object.path)) return { ...object, kind: "temporary" };
  if (OVERWRITTEN.test(object.path)) return { ...object, kind: "overwritten" };
  const [folder, name, ...more] = object.path.split("/");
  const kind = FOLDERS.get(folder as string);
  return kind === undefined || name === undefined || more.length > 0 || !isObjectName(name) ? undefined : { ...object, kind };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function reportOf(
  found: readonly Found[],
  doomed: readonly Found[],
  info: RepositoryInfo,
  branches: readonly string[],
): UpkeepReport {
  const kinds = Object.fromEntries(
    OBJECT_KINDS.map((kind) => {
      const isOfKind = (object: Found): boolean => object.kind === kind;
      return [kind, { before: amountOf(found.filter(isOfKind)), removed: amountOf(doomed.filter(isOfKind)) }];
    }),
  ) as UpkeepReport["kinds"];
  const gone = new Set(doomed.filter(({ kind }) => kind === "snapshot").map(({ path }) => nameOf(path)));
  const there = new Set(found.filter(({ kind }) => kind === "snapshot").map(({ path }) => nameOf(path)));
  const versions = versionsOf(info).filter(({ id }) => there.has(id));
  const expired = versions.filter(({ id }) => gone.has(id)).length;
  return {
    kinds,
    before: amountOf(found),
    removed: amountOf(doomed),
    versions: { retained: versions.length - expired, expired },
    branches,
  };
}

function amountOf(objects: readonly StoredObject[]): Amount {
  return { count: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0) };
}
