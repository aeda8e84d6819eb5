// The phone's own words. What people and the bot write comes from them, in their language.

const WORDS = {
  en: {
    attach: "Attach a file", bot: "bot", chats: "Chats", chooseChat: "Show another person’s phone",
    close: "Close", commands: "Commands", contact: "Contact", document: "Document",
    down: "To the newest message", edited: "edited", forwarded: "Forwarded from {name}",
    hint: "Nothing here yet. Press Start to begin.", location: "Location", nobody: "Nobody by that name",
    ok: "OK", photo: "Picture", search: "Search", send: "Send", spoiler: "Hidden text, press to read",
    start: "Start", sticker: "Sticker", today: "Today", typing: "is typing…", voice: "Voice message",
    write: "Message", yourTime: "Your time",
  },
  fr: {
    attach: "Joindre un fichier", bot: "bot", chats: "Discussions",
    chooseChat: "Afficher le téléphone de quelqu’un d’autre", close: "Fermer", commands: "Commandes",
    contact: "Contact", document: "Document", down: "Au dernier message", edited: "modifié",
    forwarded: "Transféré de {name}", hint: "Rien pour l’instant. Appuyez sur Démarrer.",
    location: "Position", nobody: "Personne de ce nom", ok: "OK", photo: "Photo", search: "Rechercher",
    send: "Envoyer", spoiler: "Texte masqué, appuyez pour lire", start: "Démarrer",
    sticker: "Autocollant", today: "Aujourd’hui", typing: "écrit…", voice: "Message vocal",
    write: "Message", yourTime: "Votre heure",
  },
  ar: {
    attach: "إرفاق ملف", bot: "روبوت", chats: "المحادثات", chooseChat: "عرض هاتف شخص آخر",
    close: "إغلاق", commands: "الأوامر", contact: "جهة اتصال", document: "مستند",
    down: "إلى أحدث رسالة", edited: "معدّلة", forwarded: "محوّلة من {name}",
    hint: "لا شيء هنا بعد. اضغط «ابدأ».", location: "موقع", nobody: "لا أحد بهذا الاسم", ok: "حسنًا",
    photo: "صورة", search: "بحث", send: "إرسال", spoiler: "نص مخفي، اضغط لقراءته", start: "ابدأ",
    sticker: "ملصق", today: "اليوم", typing: "يكتب…", voice: "رسالة صوتية", write: "رسالة",
    yourTime: "بتوقيتك",
  },
};

// Month names as they are said in Morocco, digits as they are written there.
const LOCALES = { ar: "ar-MA-u-nu-latn", fr: "fr", en: "en-GB" };

export function wordsFor(language) {
  return WORDS[language] ?? WORDS.en;
}

export function directionOf(language) {
  return language === "ar" ? "rtl" : "ltr";
}

// Shows a moment (Unix seconds) in a zone that is so many minutes from UTC. The server does the
// zone arithmetic: a browser's own tables may be older than a country's last change.
export function moment(seconds, offset, language, options) {
  const locale = LOCALES[language] ?? LOCALES.en;
  if (offset === null || offset === undefined) {
    return new Intl.DateTimeFormat(locale, options).format(seconds * 1000);
  }
  const shifted = (seconds + offset * 60) * 1000;
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }).format(shifted);
}

export function size(bytes, language) {
  const [value, unit] = bytes < 1000 ? [bytes, "byte"] : bytes < 1e6 ? [bytes / 1e3, "kilobyte"] : [bytes / 1e6, "megabyte"];
  return new Intl.NumberFormat(LOCALES[language] ?? LOCALES.en, {
    style: "unit", unit, maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}
