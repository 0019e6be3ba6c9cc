import { FreshetError } from "../../errors/index.ts";
import type { Attributes, AttributeValue, VariableOutcome } from "../../virtual/index.ts";
import { readAttributeValue } from "./attribute-value.ts";
import { BOOKKEEPING, type Bookkeeping, readBookkeeping } from "./bookkeeping.ts";
import { isGroup, readGroupLinks } from "./group-links.ts";
import { inFlight } from "./in-flight.ts";
import { MAX_GROUP_DEPTH, MAX_OBJECTS } from "./limits.ts";
import type { StoredAttribute } from "./messages/attribute.ts";
import type { Link, LinkTarget } from "./messages/link.ts";
import { readObjectAttributes } from "./object-attributes.ts";
import { findMessage, MESSAGE, type ObjectHeader, readObjectHeader } from "./object-header.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { refusalOf } from "./refusal.ts";

/** A group with what hangs on it, each object once however many links lead to it. */
export interface GroupNode {
  readonly name: string;
  readonly path: string;
  readonly attributes: Attributes;
  readonly groups: readonly GroupNode[];
  readonly datasets: readonly DatasetNode[];
}

export interface DatasetNode {
  /** The file that it is in: another one where an external link led to it. */
  readonly open: OpenHdf5;
  readonly name: string;
  readonly path: string;
  readonly address: number;
  readonly header: ObjectHeader;
  readonly attributes: ReadonlyMap<string, StoredAttribute>;
  readonly bookkeeping: Bookkeeping;
}

export interface ObjectTree {
  readonly open: OpenHdf5;
  readonly root: GroupNode;
  /** Those of all groups, in the order in which they were met. */
  readonly datasets: readonly DatasetNode[];
  /** What could not be read, or lies in another file. */
  readonly refusals: readonly VariableOutcome[];
}

/** The tree of another file that this one names, undefined where there is none. `what` says in errors what is in it. */
export type OpenTree = (fileName: string, what: string) => Promise<ObjectTree | undefined>;

/** The group or dataset that a path leads to from the root of its file. */
export function findNode(root: GroupNode, path: string): GroupNode | DatasetNode | undefined {
  let node: GroupNode | DatasetNode | undefined = root;
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (node === undefined || !("datasets" in node)) return undefined;
    node = node.groups.find((child) => child.name === name) ?? node.datasets.find((child) => child.name === name);
  }
  return node;
}

/**
 * Reads every group and the headers of all datasets that hard links lead to. Soft links lead to objects that have a hard link
 * too, or nowhere. External links lead into the trees that `openTree` gives. @throws FreshetError when the root group cannot be read.
 */
export async function readObjectTree(open: OpenHdf5, openTree?: OpenTree): Promise<ObjectTree> {
  const walk = new TreeWalk(open, openTree);
  const rootAddress = open.file.superblock.rootAddress;
  const header = await readObjectHeader(open.file, rootAddress);
  if (!isGroup(header)) throw open.file.malformed("the root object is not a group", rootAddress);
  walk.seen.add(rootAddress);
  const root = await walk.group("", "", header, await readGroupLinks(open.file, header), 0);
  return { open, root, datasets: walk.datasets, refusals: walk.refusals };
}

/** The values of the attributes that are about the data. */
export async function readAttributes(open: OpenHdf5, stored: ReadonlyMap<string, StoredAttribute>): Promise<Attributes> {
  const attributes = new Map<string, AttributeValue>();
  for (const [name, attribute] of stored) {
    const value = BOOKKEEPING.has(name) ? undefined : await readAttributeValue(open, attribute);
    if (value !== undefined) attributes.set(name, value);
  }
  return attributes;
}

type HeaderRead = { readonly header: ObjectHeader } | { readonly failure: FreshetError };

class TreeWalk {
  readonly datasets: DatasetNode[] = [];
  readonly refusals: VariableOutcome[] = [];
  readonly seen = new Set<number>();
  readonly #open: OpenHdf5;
  readonly #openTree: OpenTree | undefined;
  /** Datasets of other files that are in the tree. */
  readonly #linked = new Set<DatasetNode>();

  constructor(open: OpenHdf5, openTree: OpenTree | undefined) {
    this.#open = open;
    this.#openTree = openTree;
  }

  async group(name: string, path: string, header: ObjectHeader, links: readonly Link[], depth: number): Promise<GroupNode> {
    const groups: GroupNode[] = [];
    const datasets: DatasetNode[] = [];
    const attributes = await this.#groupAttributes(path, header);
    await inFlight(
      this.#ofOneName(links, path),
      (link) => this.#header(link),
      async (read, link) => {
        if (read === undefined) return await this.#elsewhere(link, `${path}/${link.name}`, { groups, datasets });
        await this.#member(link, `${path}/${link.name}`, read, depth, { groups, datasets });
      },
    );
    return { name, path, attributes, groups, datasets };
  }

  /** The links whose name no other has: which of several a lookup finds, nobody can say. */
  #ofOneName(links: readonly Link[], path: string): readonly Link[] {
    const counts = new Map<string, number>();
    for (const { name } of links) counts.set(name, (counts.get(name) ?? 0) + 1);
    if (counts.size === links.length) return links;
    for (const [name, count] of counts)
      if (count > 1) this.#refuse(`${path}/${name}`, `${count} links of its group have this name`);
    return links.filter(({ name }) => counts.get(name) === 1);
  }

  async #member(
    link: Link,
    path: string,
    read: HeaderRead,
    depth: number,
    into: { readonly groups: GroupNode[]; readonly datasets: DatasetNode[] },
  ): Promise<void> {
    if ("header" in read && this.seen.has(read.header.address)) return;
    try {
      if ("failure" in read) throw read.failure;
      if (NOT_A_NAME.test(link.name)) throw new FreshetError("malformed", "the name of a link is impossible");
      if (this.seen.size >= MAX_OBJECTS) throw new FreshetError("unsupported", `a file with more than ${MAX_OBJECTS} objects`);
      const { header } = read;
      this.seen.add(header.address);
      if (isDataset(header)) {
        into.datasets.push(await this.#dataset(link.name, path, header));
      } else if (isGroup(header)) {
        if (depth >= MAX_GROUP_DEPTH) throw new FreshetError("unsupported", `groups nested deeper than ${MAX_GROUP_DEPTH}`);
        const links = await readGroupLinks(this.#open.file, header);
        into.groups.push(await this.group(link.name, path, header, links, depth + 1));
      } else if (findMessage(header, MESSAGE.datatype) === undefined) {
        throw new FreshetError("malformed", "an object is neither a group nor a dataset nor a type");
      }
    } catch (error) {
      this.#refuse(path, refusalOf(error).message);
    }
  }

  async #dataset(name: string, path: string, header: ObjectHeader): Promise<DatasetNode> {
    const attributes = await readObjectAttributes(this.#open, header);
    const bookkeeping = await readBookkeeping(this.#open, attributes);
    const node = { open: this.#open, name, path, address: header.address, header, attributes, bookkeeping };
    this.datasets.push(node);
    return node;
  }

  async #groupAttributes(path: string, header: ObjectHeader): Promise<Attributes> {
    try {
      return await readAttributes(this.#open, await readObjectAttributes(this.#open, header));
    } catch (error) {
      this.#refuse(path === "" ? "/" : path, `the attributes of the group cannot be read: ${refusalOf(error).message}`);
      return new Map();
    }
  }

  /** Undefined for links that do not lead to an object of this file. */
  async #header(link: Link): Promise<HeaderRead | undefined> {
    if (link.target.kind !== "hard") return undefined;
    try {
      return { header: await readObjectHeader(this.#open.file, link.target.address) };
    } catch (error) {
      return { failure: refusalOf(error) };
    }
  }

  async #elsewhere(
    { name, target }: Link,
    path: string,
    into: { readonly groups: GroupNode[]; readonly datasets: DatasetNode[] },
  ): Promise<void> {
    switch (target.kind) {
      case "hard":
      case "soft":
        return;
      case "external":
        try {
          await this.#linkedNode(name, path, target, into);
        } catch (error) {
          this.#refuse(path, refusalOf(error).message);
        }
        return;
      case "user-defined":
        this.#refuse(path, `a link of the user-defined type ${target.type}`);
        return;
    }
  }

  async #linkedNode(
    name: string,
    path: string,
    target: LinkTarget & { readonly kind: "external" },
    into: { readonly groups: GroupNode[]; readonly datasets: DatasetNode[] },
  ): Promise<void> {
    const what = `a link to ${JSON.stringify(target.path)} in another file, ${JSON.stringify(target.fileName)}`;
    if (NOT_A_NAME.test(name)) throw new FreshetError("malformed", "the name of a link is impossible");
    const tree = await this.#openTree?.(target.fileName, what);
    if (tree === undefined)
      throw new FreshetError("unsupported", this.#openTree === undefined ? what : `${what}, which is not there`);
    const node = findNode(tree.root, target.path);
    if (node === undefined) throw new FreshetError("unsupported", `${what}, which has nothing there`);
    if ("datasets" in node) into.groups.push(this.#graftGroup(node, name, path));
    else into.datasets.push(...this.#graft([node], name, path));
    if ("datasets" in node) {
      const inside = `${node.path}/`;
      for (const refusal of tree.refusals)
        if (refusal.path.startsWith(inside)) this.#refuse(path + refusal.path.slice(node.path.length), refusal.reason);
    }
  }

  #graftGroup(node: GroupNode, name: string, path: string): GroupNode {
    return {
      name,
      path,
      attributes: node.attributes,
      groups: node.groups.map((child) => this.#graftGroup(child, child.name, `${path}/${child.name}`)),
      datasets: node.datasets.flatMap((child) => this.#graft([child], child.name, `${path}/${child.name}`)),
    };
  }

  /** Each dataset once, however many links lead to it. */
  #graft(nodes: readonly DatasetNode[], name: string, path: string): DatasetNode[] {
    return nodes.flatMap((node) => {
      if (this.#linked.has(node)) return [];
      this.#linked.add(node);
      return [{ ...node, name, path }];
    });
  }

  #refuse(path: string, reason: string): void {
    this.refusals.push({ path, outcome: "refused", reason });
  }
}

/** A path is made of names: one with a slash in it would lead somewhere else. */
const NOT_A_NAME = /^\.{0,2}$|\//;

function isDataset(header: ObjectHeader): boolean {
  const has = (type: number): boolean => findMessage(header, type) !== undefined;
  return has(MESSAGE.layout) || (has(MESSAGE.dataspace) && has(MESSAGE.datatype));
}
