/** All words of the page, in the language of whoever reads it. A language is a file in texts/. */
import en from "./texts/en.js";

export const LANGUAGES = { en: "English", de: "Deutsch" };
const CHOSEN = "rag-service language";
let words = en;
let plurals = new Intl.PluralRules("en");
export let language = "en";

/** Reads the words of the language that was chosen here, or that the browser prefers. */
export async function loadTexts() {
  const wanted = [localStorage.getItem(CHOSEN), ...navigator.languages].map((one) => one?.slice(0, 2));
  language = wanted.find((one) => one && Object.hasOwn(LANGUAGES, one)) ?? "en";
  words = language === "en" ? en : { ...en, ...(await import(`./texts/${language}.js`)).default };
  plurals = new Intl.PluralRules(language);
  document.documentElement.lang = language;
  document.documentElement.dir = words.direction;
}

export function chooseLanguage(code) {
  localStorage.setItem(CHOSEN, code);
  location.reload();
}

/** The words for `key`, with `{name}` filled in from `values`; `n` decides between one and other. */
export function t(key, values = {}) {
  const found = Object.hasOwn(words, key) ? words[key] : key;
  const text = typeof found === "string" ? found : found[plurals.select(values.n)] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => shown(Object.hasOwn(values, name) ? values[name] : null));
}

export const number = (value) => new Intl.NumberFormat(language).format(value);
export const percent = (value) =>
  new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(value);
/** A confidence or a score: two places, since a third means nothing. */
export const score = (value) =>
  new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);

export function moment(iso, { exact = false } = {}) {
  const at = new Date(iso);
  const today = new Date().toDateString() === at.toDateString();
  const style = exact
    ? { dateStyle: "medium", timeStyle: "medium" }
    : today
      ? { hour: "2-digit", minute: "2-digit" }
      : { year: "numeric", month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(language, style).format(at);
}

export function bytes(count) {
  const [value, unit] = count < 1e3 ? [count, "byte"] : count < 1e6 ? [count / 1e3, "kilobyte"] : [count / 1e6, "megabyte"];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(value);
}

const shown = (value) => (typeof value === "number" ? number(value) : value ?? "");
