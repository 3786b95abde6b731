// URL-encoded text, in which status, metadata and form bodies travel.

const plain = /^[\w*.-]*$/;
const loneSurrogates = /\p{Surrogate}/gu;

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Percent-encodes the UTF-8 of a text: all but letters, digits and `*-._`. A lone surrogate becomes U+FFFD. */
export function quote(text: string): string {
  if (plain.test(text)) return text;
  return encodeURIComponent(text.replace(loneSurrogates, '\ufffd')).replace(/[!'()~]/g, percent);
}

/** The same as HTML forms have it: a space is `+`, and `~` stays where `*` does not. */
export function quoteForm(text: string): string {
  return quote(text).replaceAll('%20', '+').replaceAll('%7E', '~').replaceAll('*', '%2A');
}

/** Metadata: keys with their values, in order; a key may come again. */
export type Meta = URLSearchParams | Readonly<Record<string, string>>;

/** Writes metadata as the wire has it: `author=henry%20lee&push=yes`; an empty value goes without its `=`. */
export function encodeMeta(meta: Meta): string {
  const pairs = meta instanceof URLSearchParams ? [...meta] : Object.entries(meta);
  return pairs.map(([key, value]) => (value === '' ? quote(key) : `${quote(key)}=${quote(value)}`)).join('&');
}

/** Reads URL-encoded pairs; a `+` is a space. Nothing is refused: what cannot be decoded stays as it is. */
export function decodeQuery(text: string): URLSearchParams {
  // URLSearchParams would drop a leading '?', which here is a character like any other.
  return new URLSearchParams(`&${text}`);
}
