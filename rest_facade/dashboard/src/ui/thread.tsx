// What people wrote about an issue and what became of it, newest first.
import { useState } from "preact/hooks";
import { api, take, type App, type Issue, type Schemas } from "../api/client";
import { exact } from "../format";
import { known, t } from "../i18n";
import { useQuery } from "../query";
import { useAction } from "./action";
import { Ago, Card, Loaded, type FormEvent } from "./basics";
import { mayChange } from "./issue_bits";

export function Thread({ app, issue }: { app: App; issue: Issue }) {
  const [text, setText] = useState("");
  const { busy, run } = useAction();
  const found = useQuery(
    `thread ${issue.id} ${issue.statusChangedAt} ${issue.assignee} ${issue.mutedUntil}`,
    (signal) => take(api.GET("/api/issues/{id}/comments", { params: { path: { id: issue.id }, query: { pageSize: 100 } }, signal })),
    10_000,
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const sent = await run(async () => {
      await take(api.POST("/api/issues/{id}/comments", { params: { path: { id: issue.id } }, body: { text } }));
    });
    if (sent) {
      setText("");
      found.reload();
    }
  };
  return (
    <Card title={t("history")}>
      <div class="stack tight">
        {mayChange(app) && !issue.mergedInto && (
          <form class="form" onSubmit={(event) => void submit(event)}>
            <textarea class="input" aria-label={t("comment")} placeholder={t("comment")} maxLength={10_000} value={text} onInput={(event) => setText(event.currentTarget.value)} />
            <button class="button" type="submit" disabled={busy || text.trim() === ""}>
              {t("addComment")}
            </button>
          </form>
        )}
        <Loaded from={found} bones={2}>
          {({ comments }) =>
            comments.length === 0 ? (
              <p class="soft">{t("noHistory")}</p>
            ) : (
              <ul class="thread">
                {comments.map((one) => (
                  <li key={one.id}>
                    <Entry entry={one} />
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </div>
    </Card>
  );
}

function Entry({ entry }: { entry: Schemas["IssueComment"] }) {
  const text = entry.kind === "muted" && /^\d+$/.test(entry.text) ? exact(Number(entry.text)) : entry.text;
  return (
    <>
      <div class="soft small">
        {entry.author || t("theServer")} · <Ago at={entry.createdAt} />
      </div>
      {entry.kind === "comment" ? entry.text : `${known(`did.${entry.kind}`, entry.kind)} ${text}`}
    </>
  );
}
