import { REVISION_STATES, type RevisionState } from "../../src/ledger/index.ts";

interface ModelRevision {
  readonly name: string;
  readonly key: string;
  state: RevisionState;
  /** `state reason` of each step since it was last heard. */
  steps: string[];
  changed: number;
  /** `product sequence` of every publication that it is in. */
  readonly publications: [product: string, sequence: number][];
}

/** Written out again, on purpose: the first letters of the states that may follow. */
const MAY_FOLLOW: Readonly<Record<RevisionState, string>> = {
  heard: "heard ready superseded duplicate skipped quarantined withdrawn",
  ready: "heard ready published superseded duplicate skipped quarantined withdrawn",
  published: "published superseded withdrawn",
  superseded: "heard published superseded withdrawn",
  duplicate: "heard duplicate withdrawn",
  skipped: "heard published skipped withdrawn",
  quarantined: "heard ready published superseded duplicate skipped quarantined withdrawn",
  withdrawn: "heard published withdrawn",
};

/** The ledger of one dataset in the simplest way there is: a map of revisions and a counter. */
export class ModelLedger {
  readonly revisions = new Map<string, ModelRevision>();
  readonly #publications = new Map<string, string>();
  seq = 0;

  hear(name: string): boolean {
    if (this.revisions.has(name)) return false;
    const [key = ""] = name.split("/");
    this.revisions.set(name, { name, key, state: "heard", steps: [], changed: 0, publications: [] });
    this.#move(name, "heard", "");
    return true;
  }

  /** Whether it was appended; "conflict" when refused. */
  record(name: string, state: RevisionState, reason: string): boolean | "conflict" {
    const revision = this.revisions.get(name);
    const step = `${state} ${reason}`;
    if (revision === undefined) {
      if (state !== "heard") return "conflict";
      this.hear(name);
      (this.revisions.get(name) as ModelRevision).steps = [step];
      return true;
    }
    const isRepeat = state === "heard" ? revision.steps.at(-1) === step : revision.steps.includes(step);
    if (isRepeat) return false;
    if (!MAY_FOLLOW[revision.state].split(" ").includes(state)) return "conflict";
    this.#move(name, state, reason);
    return true;
  }

  publish(product: string, sequence: number, members: readonly string[]): "done" | "conflict" {
    const id = `${product} ${sequence}`;
    const known = this.#publications.get(id);
    if (known !== undefined) return known === members.join() ? "done" : "conflict";
    const revisions = members.map((name) => this.revisions.get(name));
    if (revisions.some((revision) => revision === undefined)) return "conflict";
    const isLate = [...this.#publications.keys()].some(
      (other) => other.startsWith(`${product} `) && Number(other.split(" ")[1]) > sequence,
    );
    const published = revisions as ModelRevision[];
    const moving = isLate ? published.filter(({ state }) => state === "ready") : published;
    if (moving.some(({ state }) => !MAY_FOLLOW[state].includes("published"))) return "conflict";
    for (const revision of published) {
      const siblings = [...this.revisions.values()].filter(({ key, name }) => key === revision.key && name !== revision.name);
      const isOvertaken = siblings.some((other) =>
        other.publications.some(([where, when]) => where === product && when > sequence),
      );
      if (isOvertaken) {
        if (revision.state === "ready") this.#move(revision.name, "superseded", "");
        else if (!isLate) throw new Error("overtaken, but not late");
        continue;
      }
      if (moving.includes(revision)) this.#move(revision.name, "published", id);
      if (revision.publications.some(([where, when]) => where === product && when > sequence)) continue;
      for (const other of siblings) {
        const wasHere = other.publications.some(([where]) => where === product);
        if (other.state === "published" && wasHere) this.#move(other.name, "superseded", `replaced in ${id}`);
      }
    }
    for (const revision of published) revision.publications.push([product, sequence]);
    this.#publications.set(id, members.join());
    return "done";
  }

  /** `name state` of everything, in the order of its last change. */
  inOrder(...states: readonly RevisionState[]): string[] {
    return [...this.revisions.values()]
      .filter(({ state }) => states.length === 0 || states.includes(state))
      .sort((a, b) => a.changed - b.changed)
      .map(({ name, state }) => `${name} ${state}`);
  }

  /** The first of what was published, superseded or heard after a number. */
  after(seq: number, limit: number): string[] {
    return [...this.revisions.values()]
      .filter(({ state, changed }) => changed > seq && ["published", "superseded", "heard"].includes(state))
      .sort((a, b) => a.changed - b.changed)
      .slice(0, limit)
      .map(({ name, state }) => `${name} ${state}`);
  }

  unpublished(product: string): string[] {
    return [...this.revisions.values()]
      .filter(
        ({ state, publications }) =>
          state === "ready" || (state === "published" && !publications.some(([where]) => where === product)),
      )
      .sort((a, b) => a.changed - b.changed)
      .map(({ name }) => name);
  }

  counts(): Record<string, number> {
    const states = [...this.revisions.values()].map(({ state }) => state);
    return Object.fromEntries(REVISION_STATES.map((state) => [state, states.filter((other) => other === state).length]));
  }

  #move(name: string, state: RevisionState, reason: string): void {
    const revision = this.revisions.get(name) as ModelRevision;
    revision.state = state;
    revision.changed = ++this.seq;
    revision.steps = state === "heard" ? [`${state} ${reason}`] : [...revision.steps, `${state} ${reason}`];
  }
}
