// Everything goes to stderr: stdout belongs to the command that set-up makes way for.

let openLine = false;

function write(text) {
  process.stderr.write(text);
}

/** Ends a line that a step has begun. */
export function endLine() {
  if (openLine) write("\n");
  openLine = false;
}

/** One full line. */
export function say(text) {
  endLine();
  write(`set-up: ${text}\n`);
}

/**
 * Runs `work` under one line: what it does, then how long it took.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function timed(what, work) {
  endLine();
  const started = Date.now();
  write(`set-up: ${what} …`);
  openLine = true;
  try {
    const result = await work();
    if (openLine) write(` ${duration(Date.now() - started)}\n`);
    else write(`set-up: … done, ${duration(Date.now() - started)}\n`);
    openLine = false;
    return result;
  } finally {
    endLine();
  }
}

/** `1.2 s`, `48 s`, `5 min 12 s`. */
export function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
