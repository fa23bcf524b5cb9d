// Counts a short message as phones do: GSM-7 septets or UCS-2 units, single messages and parts of long ones.
// The gateway replaces typographic characters where that keeps a text in GSM-7, so they are counted as what is sent.

const BASIC = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const EXTENSION = new Set("\f^{}\\[~]|€");
const PLAIN = new Map([
  ..."‘’‚‛′ʹʼʻ＇`´".split("").map((one) => [one, "'"]),
  ..."“”„‟″«»＂".split("").map((one) => [one, '"']),
  ..."‐‑‒–—―−﹣－".split("").map((one) => [one, "-"]),
  ..."\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t".split("").map((one) => [one, " "]),
  ..."\u200b\u2060\ufeff\u00ad".split("").map((one) => [one, ""]),
  ..."\u2028\u2029".split("").map((one) => [one, "\n"]),
  ..."•·‣∙◦".split("").map((one) => [one, "-"]),
  ["…", "..."], ["‹", "<"], ["›", ">"], ["⁄", "/"], ["×", "x"], ["™", "TM"], ["©", "(c)"], ["®", "(R)"], ["№", "No"], ["½", "1/2"], ["¼", "1/4"], ["¾", "3/4"],
]);
const LIMITS = { "GSM-7": { single: 160, part: 153 }, Unicode: { single: 70, part: 67 } };

const isGsm7 = (text) => [...text].every((one) => BASIC.has(one) || EXTENSION.has(one));
const plain = (text) => (isGsm7(text) ? text : [...text].map((one) => PLAIN.get(one) ?? one).join(""));

export function measure(text) {
  const sent = plain(text);
  const encoding = isGsm7(sent) ? "GSM-7" : "Unicode";
  const sizes = [...sent].map((one) => (encoding === "GSM-7" ? (EXTENSION.has(one) ? 2 : 1) : one.length));
  const units = sizes.reduce((sum, size) => sum + size, 0);
  const { single, part } = LIMITS[encoding];
  if (units <= single) return { encoding, units, parts: 1, left: single - units };
  let [parts, room] = [1, part];
  for (const size of sizes) {
    if (size > room) [parts, room] = [parts + 1, part];
    room -= size;
  }
  return { encoding, units, parts, left: room };
}
