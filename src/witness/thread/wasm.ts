/** What is used of WebAssembly; TypeScript has it among the types of browsers only. */
interface WebAssemblyParts {
  readonly RuntimeError: new () => Error;
  readonly Memory: { readonly prototype: WasmMemory };
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const { RuntimeError, Memory } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyParts }).WebAssembly;
const PAGE_BYTES = 64 * 1024;

/** True for a trap (access out of bounds, stack exhausted, unreachable): what ran is left in the middle of something. */
export function isTrap(error: unknown): boolean {
  return error instanceof RuntimeError;
}

/** From now on no memory of this thread grows beyond `bytes`: to who asks it is full. */
export function limitMemory(bytes: number): void {
  const { grow } = Memory.prototype;
  Memory.prototype.grow = function limited(this: WasmMemory, pages: number): number {
    if (this.buffer.byteLength + pages * PAGE_BYTES > bytes) throw new RangeError(`more than ${bytes} bytes of memory`);
    return grow.call(this, pages);
  };
}
