// Small parts that every page uses.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Problem } from "../api/client";
import { ago, exact, now } from "../format";
import { known, t, type Key } from "../i18n";
import { store, useStore } from "../store";

type Children = { children?: ComponentChildren };

export function Card({ title, aside, flush, children }: Children & { title?: string; aside?: ComponentChildren; flush?: boolean }) {
  return (
    <section class="card" aria-label={title}>
      {title && (
        <div class="head">
          <h2>{title}</h2>
          {aside}
        </div>
      )}
      <div class={flush ? "body flush" : "body"}>{children}</div>
    </section>
  );
}

export type Tone = "bad" | "warn" | "good" | "info" | "";

export function Badge({ tone = "", title, children }: Children & { tone?: Tone; title?: string }) {
  return (
    <span class={`badge ${tone}`} title={title}>
      {children}
    </span>
  );
}

export function Ago({ at }: { at: number | null | undefined }) {
  const ms = useStore(now);
  if (at === null || at === undefined) return <span class="soft">–</span>;
  return (
    <time dateTime={iso(at)} title={exact(at)} class="nowrap">
      {ago(at, Math.max(ms, at))}
    </time>
  );
}

const iso = (ms: number): string => (Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : "");

export function Field({ label, hint, wide, children }: Children & { label: string; hint?: ComponentChildren; wide?: boolean }) {
  return (
    <div class={wide ? "field wide" : "field"}>
      <label class="field">
        <span class="label">{label}</span>
        {children}
      </label>
      {hint && <span class="hint">{hint}</span>}
    </div>
  );
}

export function Select({
  label,
  value,
  options,
  onChoose,
}: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChoose: (value: string) => void;
}) {
  const missing = options.every(([name]) => name !== value);
  return (
    <Field label={label}>
      <select class="select" value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {missing && <option value={value}>{value}</option>}
        {options.map(([name, text]) => (
          <option value={name} key={name}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

export function Bones({ rows = 4, height = 22 }: { rows?: number; height?: number }) {
  return (
    <div class="stack tight" role="status" aria-label={t("loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <div class="bone" style={{ height: `${height}px` }} key={row} />
      ))}
    </div>
  );
}

export function Empty({ title, children }: Children & { title: string }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

// What went wrong, in the reader's language where we know the reason.
export function told(error: unknown): string {
  if (error instanceof Problem) return known(`error.${error.code}`, error.message);
  return String(error);
}

export function Failed({ error, retry }: { error: Problem; retry?: () => void }) {
  return (
    <div class="empty" role="alert">
      <strong>{error.status === 404 ? t("notFound") : t("couldNotLoad")}</strong>
      <p>{error.status === 404 ? t("notFoundWhy") : told(error)}</p>
      {retry && error.status !== 404 && (
        <button class="button" type="button" onClick={retry}>
          {t("tryAgain")}
        </button>
      )}
    </div>
  );
}

interface Loadable<T> {
  data: T | undefined;
  error: Problem | undefined;
  stale: boolean;
  reload(): void;
}

// Bones, then a problem or the answer; while another answer is on its way the last one stays, faded.
export function Loaded<T>({ from, bones = 4, height, shape, children }: { from: Loadable<T>; bones?: number; height?: number; shape?: ComponentChildren; children: (data: T) => ComponentChildren }) {
  if (from.data === undefined) {
    return from.error ? <Failed error={from.error} retry={from.reload} /> : <>{shape ?? <Bones rows={bones} height={height} />}</>;
  }
  return (
    <div class={from.stale ? "stack stale" : "stack"} aria-busy={from.stale}>
      {children(from.data)}
    </div>
  );
}

export function Dialog({ title, onClose, children }: Children & { title: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} onCancel={onClose}>
      <div class="inside">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface Toast {
  id: number;
  text: string;
}

const toasts = store<readonly Toast[]>([]);
let toastNumber = 0;

export function say(text: string): void {
  const id = ++toastNumber;
  toasts.set([...toasts.get(), { id, text }]);
  setTimeout(() => toasts.set(toasts.get().filter((toast) => toast.id !== id)), 6_000);
}

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div class="toast" key={toast.id}>
          {toast.text}
        </div>
      ))}
    </div>
  );
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  } catch {
    say(t("copyFailed"));
  }
}

export function Copy({ text, label = "copy" }: { text: string; label?: Key }) {
  return (
    <button class="button quiet small" type="button" onClick={() => void copy(text)}>
      {t(label)}
    </button>
  );
}

export function Copyable({ text }: { text: string }) {
  return (
    <span class="row">
      <code>{text}</code>
      <Copy text={text} />
    </span>
  );
}

export function useTitle(...parts: (string | undefined)[]): void {
  const title = [...parts.filter(Boolean), "HealthGuard"].join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}

export type FormEvent = Parameters<NonNullable<JSX.IntrinsicElements["form"]["onSubmit"]>>[0];
