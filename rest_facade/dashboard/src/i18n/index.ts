// The words of the dashboard in the reader's language.
import { kept, store } from "../store";
import { en, type Key, type Words } from "./en";

export type { Key };
export type Language = "en" | "zh";

function detected(): Language {
  const chosen = kept.read("language");
  if (chosen === "en" || chosen === "zh") return chosen;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh" : "en";
}

export const language = store<Language>("en");
let words: Words = en;
let plural = new Intl.PluralRules("en");

export async function speak(wanted: Language): Promise<void> {
  words = wanted === "zh" ? (await import("./zh")).zh : en;
  plural = new Intl.PluralRules(wanted);
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
  language.set(wanted);
}

export const startLanguage = (): Promise<void> => speak(detected());

export function chooseLanguage(wanted: Language): Promise<void> {
  kept.write("language", wanted);
  return speak(wanted);
}

type Values = Record<string, string | number>;

// The text of a key with {names} filled in. "one | other" picks by {n}.
export function t(key: Key, values: Values = {}): string {
  const forms = words[key].split(" | ");
  const form = forms.length > 1 && plural.select(Number(values["n"])) === "one" ? forms[0]! : forms[forms.length - 1]!;
  return form.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? value.toLocaleString(language.get()) : value;
  });
}

// The text of a key that is put together, where there is one.
export function known(key: string, otherwise: string): string {
  return key in words ? t(key as Key) : otherwise;
}
