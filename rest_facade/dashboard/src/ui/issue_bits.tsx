// What lists and pages of issues have in common.
import { api, take, type App, type Issue } from "../api/client";
import { known, t } from "../i18n";
import { Badge, Dialog, Field, say, type FormEvent, type Tone } from "./basics";
import { useAction } from "./action";
import { useState } from "preact/hooks";

const TONES: Record<Issue["status"], Tone> = {
  open: "warn",
  fixed_pending_release: "info",
  verifying: "info",
  resolved: "good",
  archived: "",
};

// In a list it is told only where it is not the usual one.
export function StatusBadge({ issue, brief }: { issue: Issue; brief?: boolean }) {
  return (
    <>
      {(issue.status !== "open" || !brief) && <Badge tone={TONES[issue.status]}>{t(`status.${issue.status}`)}</Badge>}
      {issue.regressed && <Badge tone="bad">{t("regressed")}</Badge>}
    </>
  );
}

export function TypeBadge({ issue }: { issue: Issue }) {
  return <Badge tone={issue.errorType === "http" ? "warn" : "bad"}>{known(`errorType.${issue.errorType}`, issue.errorType || t("error"))}</Badge>;
}

export const mayChange = (app: App): boolean => app.role !== "viewer";

const path = (issue: Issue) => ({ params: { path: { id: issue.id } } });

export const archive = async (issue: Issue): Promise<unknown> => take(api.PATCH("/api/issues/{id}/archive", path(issue)));
export const reopen = async (issue: Issue): Promise<unknown> => take(api.PATCH("/api/issues/{id}/reopen", path(issue)));
export const markFixed = async (issue: Issue, release: string): Promise<unknown> =>
  take(api.PATCH("/api/issues/{id}/fixed", { ...path(issue), body: { fixedInRelease: release } }));
export const markVerified = async (issue: Issue, release: string): Promise<unknown> =>
  take(api.PATCH("/api/issues/{id}/verified", { ...path(issue), body: { verifiedInRelease: release } }));
export const merge = async (target: Issue, others: readonly Issue[]): Promise<unknown> =>
  take(api.POST("/api/issues/{id}/merge", { ...path(target), body: { mergedIds: others.map((one) => one.id) } }));

export function AskRelease({ title, hint, usual, onClose, onRelease }: { title: string; hint: string; usual: string; onClose: () => void; onRelease: (release: string) => Promise<void> }) {
  const [release, setRelease] = useState(usual);
  const { busy, run } = useAction();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await run(() => onRelease(release))) {
      say(t("saved"));
      onClose();
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="form" style={{ padding: 0 }} onSubmit={(event) => void submit(event)}>
        <Field label={t("release")} hint={hint}>
          <input class="input" required maxLength={256} value={release} onInput={(event) => setRelease(event.currentTarget.value)} />
        </Field>
        <div class="row apart">
          <button class="button" type="button" onClick={onClose}>
            {t("cancel")}
          </button>
          <button class="button main" type="submit" disabled={busy || release.trim() === ""}>
            {t("save")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
