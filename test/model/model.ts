import type { RevisionState } from "../../src/ledger/index.ts";

/**
 * What a file holds: one step on one day, the same number in every cell. A form is how the number is packed. Later files have
 * larger numbers.
 */
export interface Bytes {
  readonly day: number;
  readonly value: number;
  readonly form: number;
  readonly uri: string;
  /** The file still is where it was when it was announced. */
  isThere: boolean;
}

export interface Revision {
  readonly key: string;
  readonly identity: string;
  readonly bytes: Bytes;
  state: RevisionState;
  /** When it came into its state: the number of the event. */
  seq: number;
  /** From 1; 0 before the gate. */
  epoch: number;
}

/** Days from `first` to `last`, both inclusive; without any while `last < first`. Those that are not in `at` are gaps. */
export interface Axis {
  readonly first: number;
  readonly last: number;
  readonly at: ReadonlyMap<number, Revision>;
}

/** What a version holds, by epoch. */
export type Content = readonly Axis[];

/** What a publication is about to change. */
export interface Turn {
  readonly content: Content;
  readonly arrivals: readonly Revision[];
  readonly rejected: ReadonlySet<Revision>;
  /** The ledger's events up to this one are accounted for. */
  readonly cursor: number;
  readonly makesVersion: boolean;
  readonly holds: boolean;
}

/** First and last day that have a place, inclusive. */
export interface Bounds {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Identity of a granule whose bytes were never right. */
export const UNRESOLVED = "unresolved";

const NOTHING: Axis = { first: 0, last: -1, at: new Map() };

/** A dataset with one product in the simplest way there is: maps of days, and a counter. */
export class Model {
  readonly revisions = new Map<string, Revision>();
  /** The form of each epoch. */
  readonly forms: number[] = [];
  bounds: Bounds = { from: undefined, to: undefined };
  seq = 0;
  content: Content | undefined;
  cursor = 0;
  isHeld = false;
  /** Readers see it, and the ledger does not know. */
  untold: Turn | undefined;

  /** The revision that these bytes are, by whichever way they were announced. */
  known(key: string, bytes: Bytes, checksum: string | undefined): Revision | undefined {
    return this.of(key).find(({ bytes: other, identity }) => {
      if (other !== bytes || identity === UNRESOLVED) return false;
      return checksum === undefined || !identity.startsWith("sha256:") || identity.startsWith(`sha256:${checksum}:`);
    });
  }

  /** It is in the ledger from now on. */
  hear(key: string, identity: string, bytes: Bytes): Revision {
    const name = `${key} ${identity}`;
    const known = this.revisions.get(name);
    if (known !== undefined) return known;
    const revision: Revision = { key, identity, bytes, state: "heard", seq: ++this.seq, epoch: 0 };
    this.revisions.set(name, revision);
    return revision;
  }

  /** Whether there is something to do about an announced revision. */
  isTakenUp(revision: Revision): boolean {
    const { key, bytes } = revision;
    const others = this.of(key).filter((other) => other !== revision);
    // A copy that lags behind does not take the place of what it will become.
    const isLagging = others.some(
      (other) => other.bytes.uri !== bytes.uri && other.bytes.value > bytes.value && ["ready", "published"].includes(other.state),
    );
    const isBack = revision.state === "withdrawn" || others.some(({ state }) => state !== "superseded");
    if (isLagging && revision.state === "heard") this.move(revision, "superseded");
    else if (!isLagging && isBack && ["withdrawn", "superseded"].includes(revision.state)) this.move(revision, "heard");
    else if (revision.state === "quarantined") this.move(revision, "heard");
    return revision.state === "heard";
  }

  /** Whether the granule fits; where it does it has an epoch from now on. */
  passesGate(revision: Revision, isAccepted: boolean): boolean {
    const { day, form } = revision.bytes;
    if (!this.hasPlace(day)) return false;
    if (!this.forms.includes(form)) {
      if (this.forms.length > 0 && !isAccepted) return false;
      this.forms.push(form);
    }
    revision.epoch = this.forms.indexOf(form) + 1;
    return true;
  }

  /** What else waits of a granule has nothing to wait for, once a revision is ready. */
  supersedeOthers(revision: Revision, since: number): void {
    for (const other of this.of(revision.key)) {
      if (other !== revision && other.seq < since && ["heard", "ready", "quarantined"].includes(other.state))
        this.move(other, "superseded");
    }
  }

  move(revision: Revision, state: RevisionState): void {
    revision.state = state;
    revision.seq = ++this.seq;
  }

  of(key: string): Revision[] {
    return [...this.revisions.values()].filter((revision) => revision.key === key);
  }

  inState(...states: readonly RevisionState[]): Revision[] {
    return [...this.revisions.values()].filter(({ state }) => states.includes(state)).sort((a, b) => a.seq - b.seq);
  }

  hasPlace(day: number): boolean {
    return day >= (this.bounds.from ?? day) && day <= (this.bounds.to ?? day);
  }

  stands({ key, identity }: Pick<Revision, "key" | "identity">, content = this.content): boolean {
    return (content ?? []).some(({ at }) =>
      at.values().some((revision) => revision.key === key && revision.identity === identity),
    );
  }

  /** What the next publication makes of the events up to `upTo`; undefined where there is nothing to do. */
  next(upTo = this.seq): Turn | undefined {
    const arrivals = this.inState("ready", "withdrawn").filter(({ seq }) => seq > this.cursor && seq <= upTo);
    const turn = this.#turn(this.content ?? [], arrivals, arrivals.at(-1)?.seq ?? 0, false);
    const isBack = arrivals.some((revision) => revision.state === "ready" && this.stands(revision));
    const makesVersion = isBack || !isSame(turn.content, this.content ?? []);
    if (!makesVersion && !arrivals.some(({ state }) => state === "ready")) return undefined;
    return { ...turn, makesVersion };
  }

  /** Everything that the ledger wants, as if nothing stood there; of it the first `limit` by day. */
  anew(limit = Number.POSITIVE_INFINITY): Turn {
    const all = [...this.inState("published"), ...this.inState("ready")];
    const first = new Set(all.toSorted((a, b) => a.bytes.day - b.bytes.day).slice(0, limit));
    const arrivals = all.filter((revision) => first.has(revision));
    const epochs = Math.max(this.content?.length ?? 0, ...arrivals.map(({ epoch }) => epoch));
    const empty = Array.from({ length: epochs }, () => NOTHING);
    return this.#turn(empty, arrivals, this.seq, true);
  }

  /** The same written again. */
  same(content: Content): Turn {
    return { content, arrivals: [], rejected: new Set(), cursor: this.cursor, makesVersion: true, holds: false };
  }

  /** An earlier version again. */
  again(earlier: Content): Turn {
    const content = (this.content ?? []).map((_, epoch) => earlier[epoch] ?? NOTHING);
    return { content, arrivals: [], rejected: new Set(), cursor: this.cursor, makesVersion: true, holds: true };
  }

  /** Readers see it. */
  swap(turn: Turn): void {
    if (turn.makesVersion) {
      this.content = turn.content;
      this.cursor = turn.cursor;
      this.isHeld = turn.holds;
    }
    this.untold = turn;
  }

  /** The ledger learns of what readers see: what stands is published, and nothing else is. */
  tell(): void {
    const turn = this.untold;
    if (turn === undefined) return;
    this.untold = undefined;
    if (turn.holds) return;
    for (const revision of turn.arrivals) {
      if (revision.state !== "ready" && revision.state !== "published") continue;
      if (this.stands(revision)) this.move(revision, "published");
      else if (revision.state === "ready") this.move(revision, turn.rejected.has(revision) ? "quarantined" : "superseded");
    }
    for (const revision of this.inState("published")) if (!this.stands(revision)) this.move(revision, "superseded");
  }

  #turn(before: Content, arrivals: readonly Revision[], cursor: number, isAnew: boolean): Turn {
    const epochs = Math.max(before.length, ...arrivals.map(({ epoch, state }) => (state === "withdrawn" ? 0 : epoch)));
    const rows = Array.from({ length: epochs }, (_, index) => new Map(before[index]?.at));
    const rejected = new Set<Revision>();
    for (const revision of arrivals) {
      const { key, identity, epoch, bytes, state } = revision;
      if (state !== "withdrawn" && !this.hasPlace(bytes.day)) {
        rejected.add(revision);
        continue;
      }
      for (const at of rows) {
        const isMeant = (standing: Revision): boolean =>
          standing.key === key && (state !== "withdrawn" || standing.identity === identity);
        for (const [day, standing] of at) if (isMeant(standing)) at.delete(day);
      }
      if (state !== "withdrawn") rows[epoch - 1]?.set(bytes.day, revision);
    }
    const content = rows.map((at, index) => this.#axis(isAnew ? NOTHING : (before[index] ?? NOTHING), at));
    return { content, arrivals, rejected, cursor, makesVersion: true, holds: false };
  }

  /** An axis never becomes shorter, but where it begins is the dataset file's word. */
  #axis(before: Axis, at: ReadonlyMap<number, Revision>): Axis {
    if (at.size === 0) return { ...before, at };
    const isEmpty = before.last < before.first;
    const first = Math.min(...at.keys(), isEmpty ? Number.POSITIVE_INFINITY : before.first);
    const last = Math.max(...at.keys(), isEmpty ? Number.NEGATIVE_INFINITY : before.last);
    return { first: this.bounds.from ?? first, last, at };
  }
}

export function isSame(one: Content, other: Content): boolean {
  const text = (content: Content): string =>
    JSON.stringify(
      content
        .map(({ first, last, at }) => [first, last, [...at].map(([day, { key, identity }]) => [day, key, identity]).sort()])
        // An epoch without a day is as good as none.
        .map((axis) => ((axis[1] as number) < (axis[0] as number) ? null : axis)),
    ).replace(/(,?null)+\]$/, "]");
  return text(one) === text(other);
}
