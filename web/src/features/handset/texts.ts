/** The texts of a feature phone: they travel with the screen that shows them. */
const en = {
  title: "A feature phone",
  note: "It dials the same menus as a real phone, and shows the text messages sent to its number.",
  whose: "Whose phone?",
  dial: (code: string) => `Dial ${code}`,
  answer: "Your answer",
  send: "Send",
  hangUp: "Hang up",
  inbox: "Text messages",
  empty: "None yet.",
  back: "Back to the village",
};

const sw: typeof en = {
  title: "Simu ya kawaida",
  note: "Inapiga menyu zilezile za simu halisi, na inaonyesha ujumbe uliotumwa kwa namba yake.",
  whose: "Simu ya nani?",
  dial: (code) => `Piga ${code}`,
  answer: "Jibu lako",
  send: "Tuma",
  hangUp: "Kata simu",
  inbox: "Ujumbe mfupi",
  empty: "Bado hakuna.",
  back: "Rudi kijijini",
};

export const handsetTexts = { en, sw };
