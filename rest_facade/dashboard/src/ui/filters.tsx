// The filters of overview and issue list, all of them in the address.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, take, type App } from "../api/client";
import { DAY, HOUR, now } from "../format";
import { t, type Key } from "../i18n";
import { useQuery } from "../query";
import { go, usePlace, withQuery } from "../router";
import { useStore } from "../store";
import { Dialog, Field, Select, type FormEvent } from "./basics";

const RANGES: readonly [string, number][] = [
  ["1h", HOUR],
  ["24h", DAY],
  ["7d", 7 * DAY],
  ["14d", 14 * DAY],
  ["30d", 30 * DAY],
  ["90d", 90 * DAY],
];
const CUSTOM = /^(\d{1,15})-(\d{1,15})$/;

export interface Range {
  start: number;
  // Absent: until now.
  end?: number;
  bucket: "hour" | "day";
  spanMs: number;
  // Identifies the range however the time goes on.
  name: string;
}

// What the address asks for. It begins at a whole hour or day, where the totals are cheapest to read.
export function rangeOf(name: string | null, usual: string, at: number): Range {
  const custom = CUSTOM.exec(name ?? "");
  if (custom && Number(custom[1]) < Number(custom[2])) {
    const [start, end] = [Number(custom[1]), Number(custom[2])];
    return { start, end, bucket: end - start > 3 * DAY ? "day" : "hour", spanMs: end - start, name: custom[0] };
  }
  const [chosen, span] = RANGES.find(([one]) => one === name) ?? RANGES.find(([one]) => one === usual)!;
  const bucket = span > 3 * DAY ? "day" : "hour";
  const step = bucket === "day" ? DAY : HOUR;
  const start = (Math.floor(at / step) + 1) * step - Math.max(span, step);
  return { start, bucket, spanMs: span, name: chosen };
}

export function useRange(usual: string): Range {
  const at = Math.floor(useStore(now) / HOUR) * HOUR;
  return rangeOf(usePlace().query.get("range"), usual, at);
}

export const change = (changes: Record<string, string | null>): void =>
  go(withQuery({ page: null, ...changes }), { replace: true });

export function RangeSelect({ range, usual }: { range: Range; usual: string }) {
  const [asking, setAsking] = useState(false);
  const options = RANGES.map(([name]) => [name, t(`range.${name}` as Key)] as const);
  return (
    <>
      <Select
        label={t("timeRange")}
        value={CUSTOM.test(range.name) ? "custom" : range.name}
        options={[...options, ["custom", t("range.custom")]]}
        onChoose={(name) => (name === "custom" ? setAsking(true) : change({ range: name === usual ? null : name }))}
      />
      {asking && <CustomRange range={range} onClose={() => setAsking(false)} />}
    </>
  );
}

function CustomRange({ range, onClose }: { range: Range; onClose: () => void }) {
  const [start, setStart] = useState(local(range.start));
  const [end, setEnd] = useState(local(range.end ?? Date.now()));
  const valid = Date.parse(start) < Date.parse(end);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!valid) return;
    change({ range: `${Date.parse(start)}-${Date.parse(end)}` });
    onClose();
  };
  return (
    <Dialog title={t("range.custom")} onClose={onClose}>
      <form class="form" style={{ padding: 0 }} onSubmit={submit}>
        <Field label={t("from")}>
          <input class="input" type="datetime-local" required value={start} onInput={(event) => setStart(event.currentTarget.value)} />
        </Field>
        <Field label={t("to")} hint={valid ? undefined : t("rangeBackwards")}>
          <input class="input" type="datetime-local" required value={end} onInput={(event) => setEnd(event.currentTarget.value)} />
        </Field>
        <button class="button main" type="submit" disabled={!valid}>
          {t("apply")}
        </button>
      </form>
    </Dialog>
  );
}

// As a datetime-local input wants it, in the viewer's zone.
function local(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export interface Filter {
  platform?: string;
  release?: string;
  environment?: string;
  type?: string;
}

const PROPERTIES = ["platform", "release", "environment", "type"] as const;
type Property = (typeof PROPERTIES)[number];

export function useFilter(): Filter {
  const { query } = usePlace();
  return Object.fromEntries(PROPERTIES.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
}

export function FilterBar({ app, only, children }: { app: App; only: readonly Property[]; children?: ComponentChildren }) {
  const filter = useFilter();
  const values = useQuery(`values ${app.appKey}`, (signal) =>
    take(api.GET("/api/filters", { params: { query: { appKey: app.appKey } }, signal })),
  );
  const known: Record<Property, string[]> = {
    platform: values.data?.platforms ?? [],
    release: values.data?.releases ?? [],
    environment: values.data?.environments ?? [],
    type: values.data?.types ?? [],
  };
  return (
    <div class="filters" role="group" aria-label={t("filters")}>
      {children}
      {only.map((name) => (
        <Select
          key={name}
          label={t(name)}
          value={filter[name] ?? ""}
          options={[["", t("any")], ...known[name].map((value) => [value, value] as const)]}
          onChoose={(value) => change({ [name]: value })}
        />
      ))}
    </div>
  );
}

const TYPING_MS = 300;

export function Search({ label, name = "q" }: { label: string; name?: string }) {
  const asked = usePlace().query.get(name) ?? "";
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  useEffect(() => {
    if (text === asked) return;
    const timer = setTimeout(() => change({ [name]: text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Field label={label} wide>
      <input class="input" type="search" id={`search-${name}`} maxLength={1024} value={text} onInput={(event) => setText(event.currentTarget.value)} />
    </Field>
  );
}
