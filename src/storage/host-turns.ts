import { FreshetError } from "../errors/index.ts";
import { LIMITS, type SourceLimits } from "./source-limits.ts";

/** Gives a turn back. A second call does nothing. */
export type Release = () => void;

/** A copy whose turn does not come within this comes back later: whoever waits here keeps others from work. */
const COPY_WAITS_MS = 5_000;
/** When copies that are sent away come back, however long it may take by then. */
const SOONEST_MS = 2_000;
const LATEST_MS = 5 * 60_000;
/** What a copy takes, while none has been through. */
const FIRST_GUESS_MS = 1_000;
/** How much the last copy counts in what copies take. */
const WEIGHT = 0.2;

interface Waiting {
  readonly limits: SourceLimits;
  readonly begin: (release: Release) => void;
}

/**
 * Turns at one host, first come, first served, and shared by everything in this process. A request holds a turn from before it is sent until its
 * body is read; nobody waits for anything else while he holds one, so nobody waits for ever. A copy is a turn above those of its requests:
 * copies have at most half as many as requests, so there is always room for what reads in between.
 */
class Host {
  #requests = 0;
  #copies = 0;
  #waitingRequests: Waiting[] = [];
  #waitingCopies: Waiting[] = [];
  /** When the last request began, by the monotonic clock. */
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #copyTakesMs = FIRST_GUESS_MS;
  /** Until then, as far as one can tell, the copies that were sent away will keep the host busy. */
  #bookedMs = 0;

  request(limits: SourceLimits, signal: AbortSignal | undefined): Promise<Release> {
    return this.#turn(this.#waitingRequests, limits, signal, () => this.#beginRequests());
  }

  async copy(host: string, limits: SourceLimits, signal: AbortSignal | undefined): Promise<Release> {
    const most = copiesAtOnce(limits);
    if (this.#waitingCopies.length >= most) throw this.#busy(host, most);
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new AbortController();
    if (this.#copies >= most) timer = setTimeout(() => tooLong.abort(this.#busy(host, most)), COPY_WAITS_MS);
    try {
      const ends = signal === undefined ? tooLong.signal : AbortSignal.any([signal, tooLong.signal]);
      const release = await this.#turn(this.#waitingCopies, limits, ends, () => this.#beginCopies());
      const startedMs = performance.now();
      return () => {
        this.#copyTakesMs += WEIGHT * (performance.now() - startedMs - this.#copyTakesMs);
        release();
      };
    } finally {
      clearTimeout(timer);
    }
  }

  /** True: nobody has a turn or waits for one, and the next may begin at once. */
  get isIdle(): boolean {
    return this.#requests + this.#copies + this.#waitingRequests.length + this.#waitingCopies.length === 0;
  }

  #turn(queue: Waiting[], limits: SourceLimits, signal: AbortSignal | undefined, begin: () => void): Promise<Release> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        queue.splice(queue.indexOf(waiting), 1);
        reject(signal?.reason);
      };
      const waiting: Waiting = {
        limits,
        begin: (release) => {
          signal?.removeEventListener("abort", giveUp);
          resolve(release);
        },
      };
      queue.push(waiting);
      signal?.addEventListener("abort", giveUp, { once: true });
      begin();
    });
  }

  /** Two sources at one host may have limits of their own: whoever may begin begins, and holds up nobody who may. */
  #beginRequests(): void {
    for (let index = 0; index < this.#waitingRequests.length; ) {
      const waiting = this.#waitingRequests[index] as Waiting;
      const { concurrency = LIMITS.concurrency, perSecond } = waiting.limits;
      const waitMs = perSecond === undefined ? 0 : this.#lastMs + 1000 / perSecond - performance.now();
      if (this.#requests >= concurrency || waitMs > 0) {
        if (waitMs > 0) this.#timer ??= setTimeout(() => this.#tick(), waitMs);
        index++;
        continue;
      }
      this.#waitingRequests.splice(index, 1);
      this.#requests++;
      this.#lastMs = performance.now();
      waiting.begin(
        once(() => {
          this.#requests--;
          this.#beginRequests();
        }),
      );
    }
  }

  #tick(): void {
    this.#timer = undefined;
    this.#beginRequests();
  }

  #beginCopies(): void {
    for (;;) {
      const index = this.#waitingCopies.findIndex(({ limits }) => this.#copies < copiesAtOnce(limits));
      const [waiting] = index < 0 ? [] : this.#waitingCopies.splice(index, 1);
      if (waiting === undefined) return;
      this.#copies++;
      waiting.begin(
        once(() => {
          this.#copies--;
          this.#beginCopies();
        }),
      );
    }
  }

  /** Each one that is sent away books the time that its copy will take: they come back one after the other. */
  #busy(host: string, most: number): FreshetError {
    const now = performance.now();
    this.#bookedMs = Math.min(now + LATEST_MS, Math.max(now + SOONEST_MS, this.#bookedMs) + this.#copyTakesMs / most);
    return new FreshetError("busy", "as many copies as allowed are being made from this host; this one waits", {
      found: `${this.#copies} under way`,
      expected: `at most ${most}`,
      uri: host,
      retryAfterMs: Math.round(this.#bookedMs - now),
    });
  }
}

/** Hosts that are remembered for what their copies take; one that nobody asks goes. */
const MOST_HOSTS = 1_000;
const hosts = new Map<string, Host>();

function hostOf(name: string): Host {
  let host = hosts.get(name);
  if (host === undefined) {
    if (hosts.size >= MOST_HOSTS) for (const [other, { isIdle }] of hosts) if (isIdle) hosts.delete(other);
    host = new Host();
    hosts.set(name, host);
  }
  return host;
}

function copiesAtOnce({ concurrency = LIMITS.concurrency }: SourceLimits): number {
  return Math.max(1, Math.floor(concurrency / 2));
}

function once(release: Release): Release {
  let isReleased = false;
  return () => {
    if (isReleased) return;
    isReleased = true;
    release();
  };
}

/** Waits until a request may be sent to a host. @throws what `signal` aborts with. */
export function requestTurn(host: string, limits: SourceLimits = {}, signal?: AbortSignal): Promise<Release> {
  return hostOf(host).request(limits, signal);
}

/**
 * Waits some seconds until a whole source may be copied from a host.
 * @throws FreshetError `busy` when there is no turn by then, or too many wait already: `retryAfterMs` is when there may be one.
 */
export function copyTurn(host: string, limits: SourceLimits = {}, signal?: AbortSignal): Promise<Release> {
  return hostOf(host).copy(host, limits, signal);
}
