// The emoji that alerts, bots and engineers use. Others stay as :name:.

const KNOWN = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", thinking_face: "🤔", thinking: "🤔", eyes: "👀", tada: "🎉",
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌", warning: "⚠️", fire: "🔥",
  rotating_light: "🚨", bell: "🔔", no_bell: "🔕", mag: "🔍", mag_right: "🔎", large_green_circle: "🟢", green_circle: "🟢",
  large_yellow_circle: "🟡", large_orange_circle: "🟠", red_circle: "🔴", large_blue_circle: "🔵", white_circle: "⚪",
  black_circle: "⚫", heart: "❤️", heart_eyes: "😍", smile: "😄", slightly_smiling_face: "🙂", joy: "😂", cry: "😢",
  sob: "😭", pray: "🙏", clap: "👏", wave: "👋", raised_hands: "🙌", rocket: "🚀", bug: "🐛", wrench: "🔧",
  hammer: "🔨", gear: "⚙️", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", clock1: "🕐",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", bulb: "💡", memo: "📝",
  book: "📖", books: "📚", link: "🔗", lock: "🔒", unlock: "🔓", key: "🔑", question: "❓", grey_question: "❔",
  exclamation: "❗", information_source: "ℹ️", no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", stop_sign: "🛑",
  arrow_up: "⬆️", arrow_down: "⬇️", arrow_right: "➡️", arrow_left: "⬅️", leftwards_arrow_with_hook: "↩️",
  repeat: "🔁", recycle: "♻️", zap: "⚡", boom: "💥", skull: "💀", ghost: "👻", robot_face: "🤖", detective: "🕵️",
  sleuth_or_spy: "🕵️", "100": "💯", ok: "🆗", ok_hand: "👌", muscle: "💪", shrug: "🤷", package: "📦", floppy_disk: "💾",
  computer: "💻", globe_with_meridians: "🌐", ticket: "🎫", pushpin: "📌", speech_balloon: "💬", sleeping: "😴", zzz: "💤",
  money_with_wings: "💸", dollar: "💵", star: "⭐", sparkles: "✨", trash: "🗑️", wastebasket: "🗑️", mute: "🔇", new: "🆕",
};
const SKIN = { 2: "🏻", 3: "🏼", 4: "🏽", 5: "🏾", 6: "🏿" };

// What the picker offers, the four that matter first.
export const PICKER = [
  "eyes", "+1", "-1", "thinking_face", "white_check_mark", "x", "tada", "heart", "joy", "fire", "rotating_light", "warning",
  "rocket", "pray", "clap", "wave", "100", "bug", "bulb", "question",
];

export function isKnown(code) {
  return code.split("::")[0] in KNOWN;
}

export function emoji(code) {
  const [name, skin] = code.split("::skin-tone-");
  const found = KNOWN[name];
  return found ? found + (skin ? SKIN[skin] || "" : "") : `:${code}:`;
}
