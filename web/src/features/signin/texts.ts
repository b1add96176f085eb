/** The texts of signing in by phone: they travel with the screen that shows them. */
const en = {
  title: "Sign in",
  phone: "Your phone number",
  phoneHint: "The number that your household is known by, like 0712 345 678",
  wrongPhone: "Write a Kenyan mobile number like 0712 345 678",
  send: "Send me a code",
  sent: (phone: string, minutes: number) =>
    `If ${phone} is known here, a code is on its way by SMS. It holds for ${minutes} minutes.`,
  code: "Code from the SMS",
  codeHint: "Six digits",
  wrongCode: "Write the six digits of the newest SMS",
  refused: "This code is not right, or no longer. Look at the newest SMS, or ask for another code.",
  shared: "Other people use this phone",
  sharedHint: "You are signed out after a short while, and amounts are hidden.",
  enter: "Sign in",
  again: "Send another code",
  againIn: (seconds: number) => `Another code can be sent in ${seconds} s`,
  other: "Another number",
  help: "No SMS? See that the phone has signal, and ask again.",
};

const sw: typeof en = {
  title: "Ingia",
  phone: "Nambari yako ya simu",
  phoneHint: "Nambari ambayo nyumba yako inajulikana nayo, kama 0712 345 678",
  wrongPhone: "Andika nambari ya simu ya Kenya kama 0712 345 678",
  send: "Nitumie nambari ya siri",
  sent: (phone, minutes) =>
    `Kama ${phone} inajulikana hapa, nambari ya siri inakuja kwa SMS. Inatumika kwa dakika ${minutes}.`,
  code: "Nambari ya siri kwenye SMS",
  codeHint: "Tarakimu sita",
  wrongCode: "Andika tarakimu sita za SMS mpya zaidi",
  refused: "Nambari hii ya siri si sahihi, au imepitwa na wakati. Tazama SMS mpya zaidi, au omba nyingine.",
  shared: "Watu wengine wanatumia simu hii",
  sharedHint: "Utatolewa baada ya muda mfupi, na kiasi cha pesa kitafichwa.",
  enter: "Ingia",
  again: "Tuma nambari nyingine",
  againIn: (seconds) => `Nambari nyingine inaweza kutumwa baada ya sekunde ${seconds}`,
  other: "Nambari nyingine ya simu",
  help: "Hakuna SMS? Hakikisha simu ina mtandao, kisha uombe tena.",
};

export const signInTexts = { en, sw };
