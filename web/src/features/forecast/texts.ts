import { formatEnergy } from "../../domain/energy";

/** The texts of the hours of a day: they travel with the screen that shows them. */
const en = {
  day: "Which day?",
  days: { today: "Today", tomorrow: "Tomorrow" },
  hours: "Hour by hour",
  kinds: { spare: "spare", even: "even", need: "need" },
  bestSell: (from: string, to: string, wh: number) =>
    `Most to sell from ${from} to ${to}: about ${formatEnergy(wh)} more than you use.`,
  bestBuy: (from: string, to: string, wh: number) =>
    `You will need most from ${from} to ${to}: about ${formatEnergy(wh)}. Have it in hand before.`,
  nothingToSay: "No hour of this day stands out.",
  over: "This day is over. Look at tomorrow.",
  draw: "Draw the chart (about 25 kB)",
  record: (days: number, inside: number) =>
    `Of ${days} days that are over, ${inside} in 100 values of your panels lay in the range that we had named; 80 would be right.`,
};

const sw: typeof en = {
  day: "Siku gani?",
  days: { today: "Leo", tomorrow: "Kesho" },
  hours: "Saa kwa saa",
  kinds: { spare: "ziada", even: "sawa", need: "pungufu" },
  bestSell: (from, to, wh) =>
    `Utakuwa na cha kuuza zaidi kuanzia ${from} hadi ${to}: takriban ${formatEnergy(wh)} zaidi ya matumizi yako.`,
  bestBuy: (from, to, wh) =>
    `Utahitaji zaidi kuanzia ${from} hadi ${to}: takriban ${formatEnergy(wh)}. Uwe nayo kabla.`,
  nothingToSay: "Hakuna saa ya siku hii iliyo tofauti.",
  over: "Siku hii imekwisha. Tazama kesho.",
  draw: "Chora chati (takriban kB 25)",
  record: (days, inside) =>
    `Kati ya siku ${days} zilizopita, thamani ${inside} kati ya 100 za paneli zako zilikuwa ndani ya tuliyotaja; 80 ndiyo sahihi.`,
};

export const hoursTexts = { en, sw };
