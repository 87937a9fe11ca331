// Plays a recorded session: pictures, fingers, lanes and messages in step.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { App } from "../api/client";
import { clock, duration, exact } from "../format";
import { known, t } from "../i18n";
import { Gauges, Lanes } from "../player/lanes";
import { afterIdle, kindOf, lastAt, load, summary, type Kind, type Message, type Recording } from "../player/recording";
import { Screen } from "../player/screen";
import { useQuery } from "../query";
import { go, here, paths, withQuery } from "../router";
import { Badge, Card, copy, Empty, Loaded, useTitle, type Tone } from "../ui/basics";
import { useKeys } from "../ui/keys";
import { deviceOf, Signals } from "./sessions";

const SPEEDS = [1, 2, 4, 8];
const STEP_MS = 5_000;
const FINE_STEP_MS = 500;

export function PlayerPage({ app, id }: { app: App; id: string }) {
  const found = useQuery(`recording ${id}`, (signal) => load(id, signal));
  const session = found.data?.answer.session;
  useTitle(session ? session.userId || session.device || id : t("session"), app.name);
  return (
    <>
      <a class="small" href={paths.app(app.id, "sessions")}>
        ← {t("sessions")}
      </a>
      <Loaded from={found} bones={6} height={70}>
        {(recording) => <Player app={app} recording={recording} />}
      </Loaded>
    </>
  );
}

function Player({ app, recording }: { app: App; recording: Recording }) {
  const { start, end, answer } = recording;
  const { session } = answer;
  const [at, setAt] = useState(() => within(Number(here().query.get("at") ?? start), recording));
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const [skips, setSkips] = useState(true);

  const seek = (to: number) => setAt(within(to, recording));
  useEffect(() => {
    if (!playing) return;
    let frame = 0;
    let before = performance.now();
    const tick = (time: number) => {
      const passed = (time - before) * speed;
      before = time;
      setAt((now) => {
        const next = now + passed;
        return within((skips && afterIdle(recording, next)) || next, recording);
      });
      frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, [playing, speed, skips, recording]);
  useEffect(() => {
    if (at >= end) setPlaying(false);
  }, [at >= end]);
  // The address names the instant whenever the picture stands still.
  useEffect(() => {
    if (playing) return;
    const timer = setTimeout(() => go(withQuery({ at: at > start ? String(Math.round(at)) : null }), { replace: true }), 400);
    return () => clearTimeout(timer);
  }, [playing, at]);

  const toggle = () => {
    if (!playing && at >= end) seek(start);
    setPlaying(!playing);
  };
  useKeys({
    " ": toggle,
    ArrowRight: () => seek(at + STEP_MS),
    ArrowLeft: () => seek(at - STEP_MS),
    ".": () => seek(at + FINE_STEP_MS),
    ",": () => seek(at - FINE_STEP_MS),
  });

  return (
    <div class="stack">
      <div class="title">
        <h1>{session.userId || session.anonymousId || session.device || t("session")}</h1>
        <div class="row small soft">
          <span title={exact(start)}>{exact(start)}</span>
          <span>{deviceOf(session)}</span>
          {session.release && <Badge>{session.release}</Badge>}
          <Signals of={session} />
        </div>
      </div>
      {recording.isCut && <p class="notice warn">{t("sessionIsCut")}</p>}
      {session.counters.damagedBatches > 0 && <p class="notice warn">{t("sessionIsDamaged", { n: session.counters.damagedBatches })}</p>}
      <div class="player">
        <div class="stack tight">
          <Screen recording={recording} at={at} />
        </div>
        <div class="stack">
          <Card>
            <div class="stack tight">
              <div class="controls">
                <button class="button main" type="button" onClick={toggle}>
                  {playing ? `❚❚ ${t("pause")}` : `▶ ${t("play")}`}
                </button>
                <select class="select" style={{ width: "auto" }} aria-label={t("speed")} value={String(speed)} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
                  {SPEEDS.map((one) => (
                    <option value={String(one)} key={one}>{`${one}×`}</option>
                  ))}
                </select>
                <label class="row small">
                  <input type="checkbox" checked={skips} onChange={(event) => setSkips(event.currentTarget.checked)} />
                  {t("skipIdle")}
                </label>
                <span class="nowrap">
                  {duration(at - start)} / {duration(end - start)}
                </span>
                <span class="soft small">{clock(at)}</span>
                <Gauges recording={recording} at={at} />
                <span class="grow" />
                <button class="button quiet small" type="button" onClick={() => void copy(location.origin + paths.session(app.id, session.id, at))}>
                  {t("copyLinkHere")}
                </button>
              </div>
              <input
                class="scrub"
                type="range"
                aria-label={t("position")}
                aria-valuetext={duration(at - start)}
                min={0}
                max={end - start}
                step={FINE_STEP_MS}
                value={at - start}
                onInput={(event) => seek(start + Number(event.currentTarget.value))}
              />
              <Lanes recording={recording} at={at} seek={seek} />
            </div>
          </Card>
          <SignalList app={app} recording={recording} seek={seek} />
          <Messages recording={recording} at={at} seek={seek} />
        </div>
      </div>
    </div>
  );
}

const within = (at: number, { start, end }: Recording): number => (Number.isFinite(at) ? Math.min(end, Math.max(start, at)) : start);

interface Follows {
  recording: Recording;
  seek: (at: number) => void;
}

const SIGNAL_TONES: Record<string, Tone> = { crash: "bad", failed_request: "info" };
const BEFORE_MS = 3_000;

function SignalList({ app, recording, seek }: Follows & { app: App }) {
  const { signals } = recording.answer;
  return signals.length === 0 ? null : (
    <Card title={t("signals")} flush>
      <table>
        <tbody>
          {signals.map((signal, n) => (
            <tr key={n}>
              <td class="fit">
                <button class="button quiet" type="button" onClick={() => seek(signal.startedAt - BEFORE_MS)}>
                  ▶ {duration(signal.startedAt - recording.start)}
                </button>
              </td>
              <td class="fit">
                <Badge tone={SIGNAL_TONES[signal.kind] ?? "warn"}>{known(`signal.${signal.kind}`, signal.kind)}</Badge>
              </td>
              <td>
                {signal.label} {signal.count > 1 && `×${signal.count}`}
              </td>
              <td class="fit">{signal.issueId && <a href={paths.issue(app.id, signal.issueId)}>{t("toIssue")}</a>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

const KINDS: readonly Kind[] = ["tap", "swipe", "input", "screen", "network", "log", "performance", "crash", "other"];
const BEHIND = 60;
const AHEAD = 120;

function Messages({ recording, at, seek }: Follows & { at: number }) {
  const [only, setOnly] = useState<Kind | "">("");
  const list = useRef<HTMLDivElement>(null);
  const wanted = useMemo(() => recording.messages.filter((one) => (only === "" ? kindOf(one) !== "performance" : kindOf(one) === only)), [recording, only]);
  const now = lastAt(wanted, (one) => one.timestamp, at);
  useEffect(() => {
    const box = list.current;
    const line = box?.querySelector<HTMLElement>(".now");
    if (box && line) box.scrollTop = line.offsetTop - box.clientHeight / 2;
  }, [now, wanted]);
  const first = Math.max(0, now - BEHIND);
  const shown = wanted.slice(first, Math.max(0, now) + AHEAD);
  const rows = useMemo(() => shown.map((message, n) => <Line message={message} place={first + n - now} start={recording.start} seek={seek} key={`${message.index}.${first + n}`} />), [wanted, now]);
  return (
    <Card
      title={t("messages")}
      aside={
        <select class="select" style={{ width: "auto" }} aria-label={t("show")} value={only} onChange={(event) => setOnly(event.currentTarget.value as Kind | "")}>
          <option value="">{t("allButPerformance")}</option>
          {KINDS.map((kind) => (
            <option value={kind} key={kind}>
              {t(`kind.${kind}`)}
            </option>
          ))}
        </select>
      }
      flush
    >
      {wanted.length === 0 ? (
        <Empty title={t("noMessages")} />
      ) : (
        <div class="messages" ref={list} tabIndex={0} role="group" aria-label={t("messages")}>
          {rows}
        </div>
      )}
    </Card>
  );
}

const KIND_TONES: Partial<Record<Kind, Tone>> = { crash: "bad", network: "info", tap: "good", swipe: "good", input: "good", screen: "warn" };

function Line({ message, place, start, seek }: { message: Message; place: number; start: number; seek: (at: number) => void }) {
  const kind = kindOf(message);
  const bad = kind === "crash" || message.fields["severity"] === "error" || Number(message.fields["status"] ?? 0) >= 400;
  return (
    <button type="button" class={place === 0 ? "now" : place > 0 ? "later" : ""} onClick={() => seek(message.timestamp)}>
      <span class="soft">{duration(message.timestamp - start)}</span>
      <span>
        <Badge tone={bad ? "bad" : (KIND_TONES[kind] ?? "")}>{t(`kind.${kind}`)}</Badge>
      </span>
      <span class="clip" title={summary(message).slice(0, 2_000)}>{summary(message).slice(0, 300)}</span>
    </button>
  );
}
