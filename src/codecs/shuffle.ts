/** HDF5's shuffle: first all first bytes of the elements, then all second ones, …; what is left over stays at the end. */
export function shuffle(bytes: Uint8Array, elementSize: number): Uint8Array {
  const count = Math.floor(bytes.length / Math.max(1, elementSize));
  if (elementSize <= 1 || count <= 1) return bytes;
  const result = new Uint8Array(bytes);
  for (let byte = 0; byte < elementSize; byte++) {
    const plane = byte * count;
    for (let element = 0; element < count; element++) result[plane + element] = bytes[element * elementSize + byte] as number;
  }
  return result;
}

/** Puts the bytes of each element together again. */
export function unshuffle(bytes: Uint8Array, elementSize: number): Uint8Array {
  const count = Math.floor(bytes.length / Math.max(1, elementSize));
  if (elementSize <= 1 || count <= 1) return bytes;
  const result = new Uint8Array(bytes);
  for (let byte = 0; byte < elementSize; byte++) {
    const plane = byte * count;
    for (let element = 0; element < count; element++) result[element * elementSize + byte] = bytes[plane + element] as number;
  }
  return result;
}
