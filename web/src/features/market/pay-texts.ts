/** The texts of a payment: they travel with the screen that shows them. */
const en = {
  title: "Payment",
  steps: {
    sent: "Request sent",
    pin: "PIN entered on your phone",
    confirmed: "M-Pesa confirmed",
    delivered: "eKWh delivered",
  },
  standing: {
    working: "Working on it",
    enter_pin: "Enter your M-Pesa PIN on your phone",
    receipt_awaited: "M-Pesa says you paid, the receipt is on its way. Do not pay again.",
    done: "Paid and delivered",
    given_up: "Not paid. Nothing was taken; your neighbours have their energy back.",
    refused: "The market refused this order. Nothing was taken.",
  },
  late: "If money left your M-Pesa after this, it becomes your balance here.",
  receipt: "M-Pesa receipt",
  signature: "Chain record",
  another: "Back to the market",
  unknown: "We do not know yet. Do not pay again.",
  check: "Look again",
  unreachable: "The server cannot be reached. If you paid, do not pay again: wait for the answer here.",
  phones: "Open the virtual phones",
};

const sw: typeof en = {
  title: "Malipo",
  steps: {
    sent: "Ombi limetumwa",
    pin: "PIN imewekwa kwenye simu yako",
    confirmed: "M-Pesa imethibitisha",
    delivered: "eKWh zimefika",
  },
  standing: {
    working: "Inashughulikiwa",
    enter_pin: "Weka PIN ya M-Pesa kwenye simu yako",
    receipt_awaited: "M-Pesa inasema umelipa, risiti inakuja. Usilipe tena.",
    done: "Imelipwa na imefika",
    given_up: "Haikulipwa. Hakuna pesa iliyochukuliwa; majirani wamerudishiwa umeme wao.",
    refused: "Soko limekataa ombi hili. Hakuna pesa iliyochukuliwa.",
  },
  late: "Pesa ikitoka M-Pesa baada ya hapa, itakuwa salio lako hapa.",
  receipt: "Risiti ya M-Pesa",
  signature: "Rekodi ya mnyororo",
  another: "Rudi sokoni",
  unknown: "Bado hatujui. Usilipe tena.",
  check: "Angalia tena",
  unreachable: "Seva haipatikani. Kama umelipa, usilipe tena: subiri jibu hapa.",
  phones: "Fungua simu za majaribio",
};

export const payTexts = { en, sw };
