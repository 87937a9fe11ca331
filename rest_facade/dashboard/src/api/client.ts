// The documented REST routes, typed by the OpenAPI document, with problems as exceptions.
import createClient from "openapi-fetch";
import { session, sessionEnded } from "../session";
import { store } from "../store";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type App = Schemas["App"];
export type Issue = Schemas["Issue"];
export type Event = Schemas["Event"] & Record<string, unknown>;
export type Bucket = Schemas["Bucket"];
export type Totals = Schemas["Totals"];
export type RecordedSession = Schemas["RecordedSession"];

// Whether the collector answers at all.
export const reachable = store(true);

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const UNREACHABLE = new Set([502, 503, 504]);

async function send(request: Request): Promise<Response> {
  const token = session.get()?.token;
  if (token) request.headers.set("authorization", `Bearer ${token}`);
  let answer: Response;
  try {
    answer = await fetch(request);
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    reachable.set(false);
    throw new Problem(0, "UNREACHABLE", "The collector does not answer.");
  }
  reachable.set(!UNREACHABLE.has(answer.status));
  if (answer.status === 401 && token) sessionEnded(token);
  return answer;
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: send });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

// The answer of a call; throws Problem where the server refused.
export async function take<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw problemOf(response.status, error);
  return data as T;
}

// A picture of a session, which wants the token too; the caller revokes the address.
export async function picture(sessionId: string, name: string, signal: AbortSignal): Promise<string> {
  const path = `/api/sessions/${encodeURIComponent(sessionId)}/images/${encodeURIComponent(name)}`;
  const answer = await send(new Request(location.origin + path, { signal }));
  if (!answer.ok) throw problemOf(answer.status, await answer.json().catch(() => null));
  return URL.createObjectURL(await answer.blob());
}

function problemOf(status: number, told: unknown): Problem {
  const problem = (typeof told === "object" && told !== null ? told : {}) as Partial<Schemas["Problem"]>;
  return new Problem(status, problem.code ?? "UNKNOWN", problem.message ?? `HTTP ${status}`);
}
