import { formatPower } from "../../domain/energy";

/** The texts of the demonstration's sign-in: they travel with the screen that shows them. */
const en = {
  banner: "Demo village: pick any household to see its screen. No code is asked for.",
  title: "Who are you today?",
  operator: "Operator's desk",
  panels: (watts: number) => (watts > 0 ? `${formatPower(watts)} panels` : "no panels"),
  handset: "Use a feature phone",
};

const sw: typeof en = {
  banner: "Kijiji cha majaribio: chagua nyumba yoyote uone skrini yake. Hakuna nambari ya siri.",
  title: "Wewe ni nani leo?",
  operator: "Meza ya mwendeshaji",
  panels: (watts) => (watts > 0 ? `paneli za ${formatPower(watts)}` : "bila paneli"),
  handset: "Tumia simu ya kawaida",
};

export const demoTexts = { en, sw };
