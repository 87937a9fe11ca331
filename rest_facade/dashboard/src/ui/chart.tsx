// A chart over time; uPlot comes when the first one is shown.
import { useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { clock, count, dateOf, decimal } from "../format";
import { language, t } from "../i18n";
import { useStore } from "../store";
import { colour, palette } from "../theme";

export interface Line {
  name: string;
  // Custom property without its dashes.
  colour: string;
  values: readonly (number | null)[];
  bars?: boolean;
}

export interface Mark {
  at: number;
  name: string;
}

interface ChartProps {
  title: string;
  // Milliseconds, ascending.
  times: readonly number[];
  lines: readonly Line[];
  marks?: readonly Mark[];
  height?: number;
  stepMs: number;
}

export function Chart({ title, times, lines, marks = [], height = 200, stepMs }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const colours = useStore(palette);
  const words = useStore(language);
  const shape = JSON.stringify([title, lines.map((line) => [line.name, line.colour, line.bars]), marks, height, stepMs]);
  const plot = useRef<uPlot | null>(null);
  const data = [times.map((ms) => ms / 1000), ...lines.map((line) => line.values)] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    let gone = false;
    let watch: ResizeObserver | undefined;
    void import("./plot").then(({ draw }) => {
      const box = place.current;
      if (gone || !box) return;
      const drawn = draw(box, latest.current, { lines, marks, height, stepMs, colour, onHover: setAt });
      plot.current = drawn;
      watch = new ResizeObserver(() => drawn.setSize({ width: box.clientWidth, height }));
      watch.observe(box);
    });
    return () => {
      gone = true;
      watch?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, colours, words]);

  useEffect(() => plot.current?.setData(data), [JSON.stringify(data)]);

  const shown = at === null ? undefined : times[at];
  const sums = lines.map((line) => line.values.reduce<number>((sum, value) => sum + (value ?? 0), 0));
  return (
    <figure class="stack tight">
      <div class="chart" style={{ minHeight: `${height}px` }} ref={place} role="img" aria-label={`${title}: ${lines.map((line, n) => `${line.name} ${count(Math.round(sums[n]!))}`).join(", ")}`} />
      <figcaption class="legend">
        {lines.map((line) => (
          <span key={line.name}>
            <i style={{ background: `var(--${line.colour})` }} />
            {line.name}
            {at !== null && `: ${line.values[at] === null ? "–" : decimal(line.values[at] ?? 0)}`}
          </span>
        ))}
        {marks.length > 0 && <span>┊ {t("releases")}: {marks.map((mark) => mark.name).join(", ")}</span>}
        {shown !== undefined && <span>{stepMs >= 86_400_000 ? dateOf(shown) : `${dateOf(shown)} ${clock(shown)}`}</span>}
      </figcaption>
    </figure>
  );
}
