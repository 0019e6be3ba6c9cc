import fastify, { type FastifyReply, type FastifyRequest } from "fastify";

/** A granule as a provider ingests it. */
export interface IngestedGranule {
  /** Its GranuleUR. */
  readonly name: string;
  readonly links: readonly { readonly url: string; readonly type?: string }[];
  /** What it holds, ISO 8601. */
  readonly temporal?: readonly [begin: string, end: string];
  readonly files?: readonly { readonly Name: string; readonly SizeInBytes?: number; readonly Checksum?: object }[];
}

interface Concept {
  readonly id: string;
  readonly granule: IngestedGranule;
  revision: number;
  revisionMs: number;
  isDeleted: boolean;
}

const SEARCH_PARAMETERS =
  /^(collection_concept_id|page_size|sort_key\[\]|readable_granule_name\[\]|options\[readable_granule_name\]\[pattern\]|revision_date\[\]|temporal\[\])$/;
const DELETED_PARAMETERS = /^(parent_collection_id|provider|revision_date)$/;

/**
 * A Common Metadata Repository for tests: the part of its search that Freshet speaks, as its documentation has it. Parameters that it
 * does not know are refused (400, with `errors`), as CMR does; pages go by `CMR-Search-After`, which is sent with every page that has items.
 */
export class TestCmr {
  /** `http://127.0.0.1:PORT/`. */
  readonly url: string;
  /** Questions that were answered or refused: path with query. */
  readonly asked: string[] = [];
  /** The next so many questions are answered with 429 and this Retry-After. */
  busy: { times: number; retryAfter: string } = { times: 0, retryAfter: "0" };
  /** Instead of what a search would answer. */
  hostile: ((path: string) => { readonly body: string; readonly headers?: Record<string, string> } | undefined) | undefined;
  /** Items to a page, whatever is asked for. */
  pageSize = 2_000;
  readonly #collections: { readonly id: string; readonly shortName: string; readonly version: string }[] = [];
  readonly #concepts = new Map<string, Concept[]>();
  readonly #close: () => Promise<void>;
  #last = 1000;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(): Promise<TestCmr> {
    const server = fastify({ forceCloseConnections: true });
    let cmr: TestCmr;
    const route = (path: string, answer: (request: FastifyRequest, reply: FastifyReply) => unknown): void => {
      server.get(path, (request, reply) => {
        cmr.asked.push(request.url);
        if (cmr.busy.times > 0) {
          cmr.busy.times--;
          return reply
            .code(429)
            .header("retry-after", cmr.busy.retryAfter)
            .send({ errors: ["Too many requests"] });
        }
        const odd = cmr.hostile?.(request.url);
        if (odd !== undefined) return reply.headers({ "content-type": "application/json", ...odd.headers }).send(odd.body);
        return answer(request, reply);
      });
    };
    route("/search/collections.umm_json", (request) => cmr.#findCollections(paramsOf(request)));
    route("/search/granules.umm_json", (request, reply) => cmr.#findGranules(paramsOf(request), request, reply));
    route("/search/deleted-granules.json", (request, reply) => cmr.#findDeleted(paramsOf(request), reply));
    route("/search/concepts/:name", (request, reply) => {
      const name = (request.params as { name: string }).name;
      const concept = cmr.#all().find(({ id }) => `${id}.umm_json` === name);
      if (concept === undefined || concept.isDeleted)
        return reply.code(404).send({ errors: [`Concept with concept-id [${name}] does not exist.`] });
      return reply.header("content-type", "application/vnd.nasa.cmr.umm+json").send(JSON.stringify(ummOf(concept.granule)));
    });
    const address = await server.listen({ host: "127.0.0.1", port: 0 });
    cmr = new TestCmr(`${address}/`, () => server.close());
    return cmr;
  }

  collection(shortName: string, version = "1"): string {
    const id = `C${++this.#last}-TESTCLOUD`;
    this.#collections.push({ id, shortName, version });
    this.#concepts.set(id, []);
    return id;
  }

  /** Takes a granule, or a new revision of one. Answers its concept id. */
  ingest(collection: string, granule: IngestedGranule, revisionMs = Date.now()): string {
    const concepts = this.#concepts.get(collection) as Concept[];
    const at = concepts.findIndex(({ granule: { name } }) => name === granule.name);
    const before = concepts[at];
    const id = before?.id ?? `G${++this.#last}-TESTCLOUD`;
    const concept = { id, granule, revision: (before?.revision ?? 0) + 1, revisionMs, isDeleted: false };
    if (at < 0) concepts.push(concept);
    else concepts[at] = concept;
    return id;
  }

  delete(collection: string, name: string, revisionMs = Date.now()): void {
    const concept = (this.#concepts.get(collection) as Concept[]).find(({ granule }) => granule.name === name) as Concept;
    Object.assign(concept, { isDeleted: true, revision: concept.revision + 1, revisionMs });
  }

  close(): Promise<void> {
    return this.#close();
  }

  #all(): Concept[] {
    return [...this.#concepts.values()].flat();
  }

  #findCollections(params: URLSearchParams): unknown {
    const found = this.#collections.filter(
      ({ id, shortName }) => id === params.get("concept_id") || shortName === params.get("short_name"),
    );
    const items = found.map(({ id, shortName, version }) => ({
      meta: { "concept-id": id, "concept-type": "collection", "provider-id": "TESTCLOUD", "revision-id": 1 },
      umm: { ShortName: shortName, Version: version },
    }));
    return { hits: items.length, took: 1, items };
  }

  #findGranules(params: URLSearchParams, request: FastifyRequest, reply: FastifyReply): unknown {
    const unknown = [...params.keys()].filter((name) => !SEARCH_PARAMETERS.test(name));
    if (unknown.length > 0) return reply.code(400).send({ errors: [`Parameter [${unknown[0]}] was not recognized.`] });
    const size = Math.min(Number(params.get("page_size") ?? 10), this.pageSize);
    const patterns = params.getAll("readable_granule_name[]").map(patternOf);
    const since = Date.parse(params.get("revision_date[]")?.split(",")[0] ?? "1970-01-01T00:00:00Z");
    const [from, to] = (params.get("temporal[]") ?? ",").split(",").map((text) => (text === "" ? undefined : Date.parse(text)));
    const token = request.headers["cmr-search-after"];
    const [afterMs, afterId] =
      token === undefined ? [Number.NEGATIVE_INFINITY, ""] : (JSON.parse(String(token)) as [number, string]);
    const found = (this.#concepts.get(params.get("collection_concept_id") ?? "") ?? [])
      .filter(({ isDeleted, revisionMs }) => !isDeleted && revisionMs >= since)
      .filter(({ granule: { name } }) => patterns.length === 0 || patterns.some((pattern) => pattern.test(name)))
      .filter(({ granule: { temporal } }) => isWithin(temporal, from, to))
      .sort((a, b) => a.revisionMs - b.revisionMs || (a.id < b.id ? -1 : 1));
    const page = found
      .filter(({ revisionMs, id }) => revisionMs > afterMs || (revisionMs === afterMs && id > afterId))
      .slice(0, size);
    const last = page.at(-1);
    if (last !== undefined) reply.header("cmr-search-after", JSON.stringify([last.revisionMs, last.id]));
    reply
      .header("cmr-hits", String(found.length))
      .header("content-type", "application/vnd.nasa.cmr.umm_results+json;version=1.6.5");
    return JSON.stringify({ hits: found.length, took: 3, items: page.map(itemOf) });
  }

  #findDeleted(params: URLSearchParams, reply: FastifyReply): unknown {
    const unknown = [...params.keys()].filter((name) => !DELETED_PARAMETERS.test(name));
    if (unknown.length > 0) return reply.code(400).send({ errors: [`Parameter [${unknown[0]}] was not recognized.`] });
    const since = Date.parse(params.get("revision_date") ?? "");
    if (Number.isNaN(since))
      return reply.code(400).send({ errors: ["One revision date is required for deleted granules search."] });
    if (since < Date.now() - 365 * 86_400_000)
      return reply.code(400).send({ errors: ["Revision date must be within one year of today."] });
    const collection = params.get("parent_collection_id") ?? "";
    return (this.#concepts.get(collection) ?? [])
      .filter(({ isDeleted, revisionMs }) => isDeleted && revisionMs >= since)
      .map(({ id, granule, revisionMs }) => ({
        "granule-ur": granule.name,
        "revision-date": new Date(revisionMs).toISOString(),
        "parent-collection-id": collection,
        "concept-id": id,
        "provider-id": "TESTCLOUD",
      }));
  }
}

function paramsOf(request: FastifyRequest): URLSearchParams {
  return new URL(request.url, "http://cmr/").searchParams;
}

function itemOf({ id, granule, revision, revisionMs }: Concept): unknown {
  return {
    meta: {
      "concept-type": "granule",
      "concept-id": id,
      "revision-id": revision,
      "native-id": granule.name,
      "provider-id": "TESTCLOUD",
      format: "application/vnd.nasa.cmr.umm+json",
      "revision-date": new Date(revisionMs).toISOString(),
    },
    umm: ummOf(granule),
  };
}

function ummOf({ name, links, files, temporal }: IngestedGranule): object {
  return {
    GranuleUR: name,
    RelatedUrls: [
      ...links.map(({ url, type }) => ({ URL: url, Type: type ?? "GET DATA", Description: `Download ${name}` })),
      { URL: `https://archive.example/${name}.cmr.json`, Type: "EXTENDED METADATA" },
    ],
    CollectionReference: { ShortName: "ANY", Version: "1" },
    ...(temporal === undefined
      ? {}
      : { TemporalExtent: { RangeDateTime: { BeginningDateTime: temporal[0], EndingDateTime: temporal[1] } } }),
    DataGranule: {
      DayNightFlag: "Unspecified",
      ProductionDateTime: "2020-01-01T00:00:00.000Z",
      ArchiveAndDistributionInformation: files ?? [],
      Identifiers: [{ Identifier: name, IdentifierType: "ProducerGranuleId" }],
    },
    MetadataSpecification: { URL: "https://cdn.earthdata.nasa.gov/umm/granule/v1.6.5", Name: "UMM-G", Version: "1.6.5" },
  };
}

/** CMR takes both ends for inclusive. */
function isWithin(temporal: IngestedGranule["temporal"], from: number | undefined, to: number | undefined): boolean {
  if (from === undefined && to === undefined) return true;
  if (temporal === undefined) return false;
  return (
    Date.parse(temporal[1]) >= (from ?? Number.NEGATIVE_INFINITY) && Date.parse(temporal[0]) <= (to ?? Number.POSITIVE_INFINITY)
  );
}

function patternOf(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${text}$`, "i");
}
