// What happened when: a lane for each kind of thing, over the whole session.
import type { ComponentChildren } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { bytes, decimal, duration } from "../format";
import { known, t } from "../i18n";
import { amount, kindOf, lastAt, measured, screens, summary, type Recording } from "./recording";

interface LanesProps {
  recording: Recording;
  at: number;
  seek: (at: number) => void;
}

export function Lanes({ recording, at, seek }: LanesProps) {
  const box = useRef<HTMLDivElement>(null);
  const { start, end } = recording;
  const lanes = useMemo(() => <Drawn recording={recording} />, [recording]);
  const follow = (event: PointerEvent) => {
    const track = box.current?.querySelector(".track")?.getBoundingClientRect();
    if (track && event.buttons === 1) seek(start + Math.min(1, Math.max(0, (event.clientX - track.left) / track.width)) * (end - start));
  };
  return (
    <div class="lanes" ref={box} onPointerDown={follow} onPointerMove={follow} aria-hidden="true">
      {lanes}
      <div class="lane" style={{ position: "absolute", inset: 0, pointerEvents: "none" }}>
        <span />
        <div style={{ position: "relative", height: "100%" }}>
          <div class="head-line" style={{ left: `${(100 * (at - start)) / (end - start)}%` }} />
        </div>
      </div>
    </div>
  );
}

function Lane({ name, tall, children }: { name: string; tall?: boolean; children?: ComponentChildren }) {
  return (
    <div class="lane">
      <span class="clip">{name}</span>
      <div class={tall ? "track tall" : "track"}>{children}</div>
    </div>
  );
}

function Drawn({ recording }: { recording: Recording }) {
  const { start, end, messages, answer } = recording;
  const place = (from: number, to = from) => ({
    left: `${(100 * (from - start)) / (end - start)}%`,
    width: `${Math.max(0, (100 * (to - from)) / (end - start))}%`,
  });
  const of = (...kinds: string[]) => messages.filter((message) => kinds.includes(kindOf(message)));
  const logs = of("log");
  const calls = of("network");
  return (
    <>
      <Lane name={t("lane.screens")}>
        {screens(recording).map((span) => (
          <b class="screen" key={span.start} style={place(span.start, span.end)} title={span.name}>
            {span.name}
          </b>
        ))}
      </Lane>
      <Lane name={t("lane.taps")}>
        {of("tap", "swipe", "input").map((message) => (
          <b key={message.index} style={place(message.timestamp)} title={summary(message)} />
        ))}
      </Lane>
      <Lane name={t("lane.signals")}>
        {answer.signals.map((signal, n) => (
          <b
            key={n}
            class={signal.kind === "crash" ? "bad" : "warn"}
            style={place(signal.startedAt, signal.endedAt)}
            title={`${known(`signal.${signal.kind}`, signal.kind)} ${signal.label} ${duration(signal.startedAt - start)}`}
          />
        ))}
      </Lane>
      {calls.length > 0 && (
        <Lane name={t("lane.network")}>
          {calls.map((message) => (
            <b
              key={message.index}
              class={amount(message, "status") >= 400 ? "bad" : ""}
              style={place(message.timestamp - amount(message, "duration"), message.timestamp)}
              title={summary(message)}
            />
          ))}
        </Lane>
      )}
      {logs.length > 0 && (
        <Lane name={t("lane.logs")}>
          {logs.map((message) => (
            <b key={message.index} class={message.fields["severity"] === "error" ? "bad" : "soft"} style={place(message.timestamp)} title={summary(message)} />
          ))}
        </Lane>
      )}
      {MEASURES.map(([name, title]) => (
        <Curve key={name} recording={recording} name={name} title={title()} />
      ))}
    </>
  );
}

const MEASURES: readonly [string, () => string][] = [
  ["fps", () => t("lane.fps")],
  ["memoryUsage", () => t("lane.memory")],
  ["mainThreadCPU", () => t("lane.cpu")],
];

function Curve({ recording, name, title }: { recording: Recording; name: string; title: string }) {
  const points = measured(recording, name);
  if (points.length === 0) return null;
  const { start, end } = recording;
  const most = Math.max(...points.map(([, value]) => value), 1);
  const line = points.map(([time, value]) => `${((100 * (time - start)) / (end - start)).toFixed(2)},${(40 - (36 * value) / most).toFixed(1)}`).join(" ");
  return (
    <Lane name={`${title} ≤ ${reading(name, most)}`} tall>
      <svg viewBox="0 0 100 42" preserveAspectRatio="none">
        <polyline points={line} fill="none" stroke="var(--info)" stroke-width="1.6" vector-effect="non-scaling-stroke" />
      </svg>
    </Lane>
  );
}

function reading(name: string, value: number): string {
  return name === "memoryUsage" ? bytes(value) : name === "mainThreadCPU" ? `${decimal(value, 0)} %` : decimal(value, 0);
}

// The readings of the instant.
export function Gauges({ recording, at }: { recording: Recording; at: number }) {
  const series = useMemo(() => MEASURES.map(([name, title]) => [name, title, measured(recording, name)] as const), [recording]);
  return (
    <span class="row small soft">
      {series.map(([name, title, points]) => {
        const point = points[lastAt(points, ([time]) => time, at)];
        return point && <span key={name}>{`${title()} ${reading(name, point[1])}`}</span>;
      })}
    </span>
  );
}
