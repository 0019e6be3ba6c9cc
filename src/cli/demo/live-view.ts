import { createLogUpdate } from "log-update";
import type { GranuleView } from "../granule-view.ts";
import { cut, paint, paintStage } from "../paint.ts";
import { table } from "../table.ts";

/** What the person sees while the demo runs. */
export interface LiveView {
  /** Something happened: a line that stays. */
  tell(who: string, text: string): void;
  /** Something that takes a while is under way; on a terminal only, until the next line. */
  doing(text: string): void;
  /** Where the granules are now. */
  show(granules: readonly GranuleView[]): void;
  /** Leaves what is shown last where it is. */
  end(): void;
}

const COLUMNS = [
  { title: "dataset" },
  { title: "granule" },
  { title: "stage" },
  { title: "attempt", align: "right" },
  { title: "seconds", align: "right" },
] as const;

/** On a terminal one line a granule, drawn again and again below the lines that stay; else a line for each change of stage. */
export function createLiveView(startedMs: number): LiveView {
  return process.stdout.isTTY === true ? terminalView(startedMs) : plainView(startedMs);
}

function terminalView(startedMs: number): LiveView {
  const screen = createLogUpdate(process.stdout);
  let block = "";
  const draw = (text: string): void => {
    block = text;
    screen(text);
  };
  return {
    tell(who, text) {
      screen.clear();
      screen.persist(cut(eventLine(startedMs, who, text), width()).replace(/^.{10}/, (time) => paint("faint", time)));
      if (block !== "") screen(block);
    },
    doing: (text) => draw(text === "" ? "" : paint("faint", `            ${text} …`)),
    show: (granules) => draw(`\n${granuleLines(granules).join("\n")}\n`),
    end: () => screen.done(),
  };
}

function plainView(startedMs: number): LiveView {
  const stages = new Map<string, string>();
  return {
    tell: (who, text) => console.log(eventLine(startedMs, who, text)),
    doing: () => {},
    show(granules) {
      for (const granule of granules) {
        const { dataset, key, stage } = granule;
        if (stages.get(`${dataset}/${key}`) === stage) continue;
        stages.set(`${dataset}/${key}`, stage);
        console.log(eventLine(startedMs, dataset, [key, stage, waiting(granule)].filter((part) => part !== "").join("  ")));
      }
    },
    end: () => {},
  };
}

/** One line a granule, below a heading. */
export function granuleLines(granules: readonly GranuleView[]): string[] {
  const rows = granules.map(({ dataset, key, stage, attempt, announcedMs, readableMs }) => [
    dataset,
    key,
    paintStage(stage),
    attempt === undefined ? "" : `${attempt}`,
    announcedMs === undefined ? "" : (((readableMs ?? Date.now()) - announcedMs) / 1000).toFixed(1),
  ]);
  const [heading = "", ...lines] = table(COLUMNS, rows);
  const room = width() - heading.length - 2;
  return [
    paint("faint", `${heading}  waits for`),
    ...lines.map((line, index) => `${line}  ${cut(waiting(granules[index] as GranuleView), room)}`.trimEnd()),
  ];
}

function waiting({ waitsFor, repeats }: GranuleView): string {
  if (waitsFor !== "") return waitsFor;
  return repeats === 0 ? "" : "nothing: announced again, already known";
}

function eventLine(startedMs: number, who: string, text: string): string {
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  return `${seconds.padStart(6)} s  ${who.padEnd(10)}  ${text}`;
}

function width(): number {
  return process.stdout.columns ?? 120;
}
