// What came along with a message: pictures, sounds and films to look at, files to save, places and contacts to read. What is not
// here yet says so, and shows itself when it has come. Names and words of customers only ever become text.

import { h, icon } from "./dom.js";
import { size, words } from "./format.js";

const KINDS = { image: "Picture", audio: "Voice message", video: "Video", document: "Document" };
const REASONS = {
  too_large: "it is too large",
  type_refused: "files of this kind are not taken",
  empty: "it is empty",
  no_room: "there is no room for it",
  infected: "it holds malicious software",
  not_scanned: "it could not be checked for malicious software",
  gone: "the provider does not have it any more",
};

// `changes` holds what became of attachments since the entry was read, by their ids.
export function attachments(list, changes) {
  if (!list?.length) return null;
  return h("div", { class: "attachments" }, ...list.map((one) => attachment({ ...one, ...changes.get(one.id) })));
}

// What the look of attachments depends on besides the message.
export const states = (list, changes) => list?.map((one) => (changes.get(one.id) ?? one).state);

function attachment(one) {
  const caption = one.caption ? h("p", { class: "caption", dir: "auto" }, one.caption) : null;
  return h("figure", { class: `attachment ${one.kind} ${one.state ?? ""}`, "data-media": one.id }, body(one), caption);
}

function body(one) {
  if (one.kind === "location") return place(one.values ?? {});
  if (one.kind === "contact") return contact(one.values ?? {});
  const kind = KINDS[one.kind] ?? "Attachment";
  if (one.state === "refused") {
    return h("p", { class: "absent bad" }, icon("warn"), `${kind} could not be fetched: ${REASONS[one.code] ?? words(one.code).toLowerCase()}`, named(one));
  }
  if (one.state !== "stored") return h("p", { class: "absent" }, icon("clock"), `${kind} is being ${one.code === "not_scanned" ? "checked" : "fetched"}`, named(one));
  return SHOWN[one.shown]?.(one, kind) ?? file(one, kind);
}

const address = (one) => `/desk/media/${encodeURIComponent(one.id)}`;
const label = (one, kind) => (one.name ? `${kind}: ${one.name}` : `${kind} from the conversation`);
const named = (one) => (one.name ? h("span", { class: "name", dir: "auto" }, one.name) : null);

const SHOWN = {
  image: (one, kind) => h("a", { class: "picture", href: address(one), target: "_blank", rel: "noopener" }, h("img", { src: address(one), alt: label(one, kind), loading: "lazy" })),
  audio: (one, kind) => player("audio", one, kind),
  video: (one, kind) => player("video", one, kind),
};

// What this browser cannot play is offered as a file, for a program that can.
function player(tag, one, kind) {
  const made = h(tag, { src: address(one), controls: true, preload: "metadata", "aria-label": label(one, kind) });
  made.addEventListener("error", () => made.replaceWith(file(one, kind), h("p", { class: "hint" }, "It cannot be played here; save it to hear or see it.")), { once: true });
  return made;
}

function file(one, kind) {
  return h("a", { class: "file", href: address(one), download: true }, icon("file"), h("span", { class: "name", dir: "auto" }, one.name || kind), h("span", { class: "size" }, size(one.size)));
}

function place({ latitude, longitude, label: title, address: street }) {
  const [lat, lon] = [Number(latitude), Number(longitude)];
  const text = [title, street].filter(Boolean).join(", ");
  const coordinates = `${latitude}, ${longitude}`;
  const map = Number.isFinite(lat) && Number.isFinite(lon) ? `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=16/${lat}/${lon}` : null;
  return h(
    "p",
    { class: "place" },
    icon("place"),
    text ? h("span", { dir: "auto" }, text) : null,
    h("span", { class: "coordinates" }, coordinates),
    map ? h("a", { href: map, target: "_blank", rel: "noreferrer noopener" }, "Open in maps") : null,
  );
}

function contact({ name, phone, own }) {
  return h("p", { class: "contact" }, icon("person"), h("span", { dir: "auto" }, name || "Contact"), phone ? h("span", { class: "number" }, phone) : null, own ? h("span", { class: "hint" }, "their own number") : null);
}
