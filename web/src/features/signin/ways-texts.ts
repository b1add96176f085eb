/** The texts that lead from one way to sign in to the other. */
const en = {
  byPhone: "Sign in by phone number",
  asAnybody: "Back to the village",
};

const sw: typeof en = {
  byPhone: "Ingia kwa nambari ya simu",
  asAnybody: "Rudi kijijini",
};

export const waysTexts = { en, sw };
