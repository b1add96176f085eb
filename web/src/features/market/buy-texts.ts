import { formatEnergy } from "../../domain/energy";

/** The texts of an offer that is not what it was: they travel with the form that shows them. */
const en = {
  moved: "The price has changed while you looked. Nothing was bought. This is the price now:",
  less: (wh: number) => `Neighbours offer ${formatEnergy(wh)} now: the price is for that.`,
};

const sw: typeof en = {
  moved: "Bei imebadilika ulipokuwa ukiangalia. Hakuna kilichonunuliwa. Bei ya sasa ni hii:",
  less: (wh) => `Majirani wanauza ${formatEnergy(wh)} sasa: bei ni ya hicho.`,
};

export const buyTexts = { en, sw };
