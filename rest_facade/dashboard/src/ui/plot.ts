// uPlot, in the dashboard's colours.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { short } from "../format";
import { language } from "../i18n";
import type { Line, Mark } from "./chart";

// Steps between the lines of what is counted: there is no half event.
const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

interface Look {
  lines: readonly Line[];
  marks: readonly Mark[];
  height: number;
  stepMs: number;
  colour: (name: string) => string;
  onHover: (at: number | null) => void;
}

export function draw(box: HTMLElement, data: uPlot.AlignedData, look: Look): uPlot {
  const soft = look.colour("soft");
  const grid = { stroke: look.colour("line"), width: 1 };
  const axis = { stroke: soft, grid, ticks: grid, font: "12px system-ui, sans-serif" };
  const bars = uPlot.paths.bars!({ size: [0.7, 60] });
  return new uPlot(
    {
      width: box.clientWidth,
      height: look.height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { range: (_, least, most) => [least - look.stepMs / 2000, most + look.stepMs / 2000] }, y: { range: (_, least, most) => [Math.min(0, least), Math.max(1, most)] } },
      axes: [
        { ...axis, values: (_, times) => times.map((time) => tick(time * 1000, look.stepMs)), space: 70, size: 32 },
        { ...axis, incrs: WHOLE, values: (_, values) => values.map((value) => (value === null ? "" : short(value))), size: 48 },
      ],
      series: [
        {},
        ...look.lines.map((line) => {
          const stroke = look.colour(line.colour);
          return line.bars
            ? { stroke, fill: stroke, width: 0, paths: bars, points: { show: false } }
            : { stroke, width: 1.8, points: { show: false } };
        }),
      ],
      hooks: {
        setCursor: [(plot) => look.onHover(plot.cursor.idx ?? null)],
        // Marks stand at the bar of their hour or day, which is drawn around its beginning.
        draw: [(plot) => look.marks.forEach((mark) => drawMark(plot, { ...mark, at: Math.floor(mark.at / look.stepMs) * look.stepMs }, soft))],
      },
    },
    data,
    box,
  );
}

function tick(ms: number, stepMs: number): string {
  const format: Intl.DateTimeFormatOptions =
    stepMs >= 86_400_000 ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(language.get(), format).format(ms);
}

function drawMark(plot: uPlot, mark: Mark, stroke: string): void {
  const x = Math.round(plot.valToPos(mark.at / 1000, "x", true));
  const { left, top, width, height } = plot.bbox;
  if (x < left || x > left + width) return;
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.fillStyle = stroke;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.stroke();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  const room = x > left + width * 0.8;
  ctx.textAlign = room ? "right" : "left";
  ctx.fillText(mark.name, x + (room ? -4 : 4) * devicePixelRatio, top - 4 * devicePixelRatio);
  ctx.restore();
}
