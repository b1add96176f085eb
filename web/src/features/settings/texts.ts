/** The texts of the settings: they travel with the screen that shows them. */
const en = {
  language: "Language",
  look: "Look",
  theme: "Theme",
  themes: { system: "As the phone", light: "Light", dark: "Dark" },
  size: "Size of the text",
  sizes: { normal: "Normal", large: "Large", larger: "Larger" },
  data: "Data and privacy",
  saver: "Save data",
  saverHint: "Values are asked for once a minute, and charts are drawn when you ask for them.",
  hide: "Hide amounts of money",
  hideHint: "For a phone that others look at. One tap on a screen shows them.",
  devices: "Devices",
  nameless: "A device without a name",
  here: "this device",
  since: (moment: string) => `Signed in ${moment}`,
  until: (moment: string) => `until ${moment}`,
  signOutDevice: (name: string) => `Sign out ${name}`,
  signOutOthers: "Sign out all others",
  onlyThis: "You are signed in on this device only.",
  help: "Help",
  noNetwork:
    "No network? Every screen keeps what it last said. Money and energy wait until the network is back: nothing is sent by itself.",
  handset: "Try it on a feature phone",
};

const sw: typeof en = {
  language: "Lugha",
  look: "Mwonekano",
  theme: "Rangi za skrini",
  themes: { system: "Kama simu", light: "Mwanga", dark: "Giza" },
  size: "Ukubwa wa maandishi",
  sizes: { normal: "Kawaida", large: "Makubwa", larger: "Makubwa zaidi" },
  data: "Data na faragha",
  saver: "Okoa data",
  saverHint: "Taarifa zinaulizwa mara moja kwa dakika, na chati inachorwa ukiiomba.",
  hide: "Ficha kiasi cha pesa",
  hideHint: "Kwa simu inayotazamwa na wengine. Gusa mara moja kwenye skrini kuonyesha.",
  devices: "Vifaa",
  nameless: "Kifaa bila jina",
  here: "kifaa hiki",
  since: (moment) => `Umeingia ${moment}`,
  until: (moment) => `hadi ${moment}`,
  signOutDevice: (name) => `Toa ${name}`,
  signOutOthers: "Toa vingine vyote",
  onlyThis: "Umeingia kwenye kifaa hiki tu.",
  help: "Msaada",
  noNetwork:
    "Hakuna mtandao? Kila skrini inaonyesha iliyosema mwisho. Pesa na umeme vinasubiri mtandao urudi: hakuna kinachotumwa chenyewe.",
  handset: "Ijaribu kwenye simu ya kawaida",
};

export const settingsTexts = { en, sw };
