// Numbers, times and names as people read them.
import { language, t } from "./i18n";
import { store } from "./store";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

// Ticks so that relative times stay true.
export const now = store(Date.now());
setInterval(() => now.set(Date.now()), 15_000);

const formats = new Map<string, Intl.NumberFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language.get() + JSON.stringify(options);
  const found = formats.get(key) ?? new Intl.NumberFormat(language.get(), options);
  formats.set(key, found);
  return found;
}

export const count = (value: number): string => numbers({}).format(value);

export const short = (value: number): string =>
  Math.abs(value) < 10_000 ? count(value) : numbers({ notation: "compact", maximumFractionDigits: 1 }).format(value);

export const percent = (share: number, digits = 1): string =>
  numbers({ style: "percent", maximumFractionDigits: digits }).format(share);

export const signedPercent = (share: number): string =>
  numbers({ style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" }).format(share);

export const decimal = (value: number, digits = 2): string => numbers({ maximumFractionDigits: digits }).format(value);

export function bytes(size: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = size < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(size) / Math.log(1024)));
  const unit = units[power]!;
  return numbers({ style: "unit", unit, maximumFractionDigits: 1 }).format(size / 1024 ** power);
}

export function exact(ms: number): string {
  return new Intl.DateTimeFormat(language.get(), { dateStyle: "medium", timeStyle: "long" }).format(ms);
}

export function dateOf(ms: number): string {
  return new Intl.DateTimeFormat(language.get(), { dateStyle: "medium" }).format(ms);
}

export function clock(ms: number): string {
  return new Intl.DateTimeFormat(language.get(), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(ms);
}

const STEPS: readonly [number, Intl.RelativeTimeFormatUnit][] = [
  [365 * DAY, "year"],
  [30 * DAY, "month"],
  [DAY, "day"],
  [HOUR, "hour"],
  [MINUTE, "minute"],
];

export function ago(ms: number, at: number): string {
  const distance = ms - at;
  const relative = new Intl.RelativeTimeFormat(language.get(), { numeric: "auto", style: "short" });
  for (const [size, unit] of STEPS) {
    if (Math.abs(distance) >= size) return relative.format(Math.trunc(distance / size), unit);
  }
  return t("justNow");
}

// 1:05 or 1:02:05.
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function millis(ms: number): string {
  return ms < 1000 ? `${decimal(ms, ms < 10 ? 1 : 0)} ms` : `${decimal(ms / 1000, 2)} s`;
}
