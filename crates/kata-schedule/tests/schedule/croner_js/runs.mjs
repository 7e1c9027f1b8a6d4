// Prints what croner for JavaScript makes of many patterns. See SOURCE.md.
import { Cron } from "croner";

const AFTER = new Date("2026-11-22T00:00:00Z");

const DOCUMENTED = [
  "* * * * * *", "* * * * *", "0 0 L * *", "0 0 LW * *", "0 0 15W * *", "0 0 1W * *", "0 0 * * 5#L", "0 0 * * FRI#L",
  "0 0 * * 5L", "0 0 * * 5#2", "0 0 * * MON#1", "0 0 * * 5-6#L", "0 0 * * MON-FRI#2", "0 12 1 * +MON", "0 20 1 * MON",
  "0 20 1 * +MON", "0 0 0 29 2 *", "1 2 3 4 5 6", "0 0 0 L 2 *", "0 0 0 * * 5-6#L", "0 0 0 25 12 * 2027",
  "? ? ? ? ?", "0 0 * * MON", "0 0 * * mon", "0 0 * JAN *", "0 0 * * 0", "0 0 * * 7", "@yearly", "@annually",
  "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@reboot", "2027-01-23T00:00:00", "0 0 1 1 *",
];

const EDGES = [
  "*/61 * * * *", "*/60 * * * *", "*/59 * * * *", "0 */25 * * *", "0 */24 * * *", "0 0 */32 * *", "0 0 */31 * *",
  "0 0 * */13 *", "0 0 * */12 *", "0 0 * * */8", "0 0 * * */7", "1-10/60 * * * *", "1-10/61 * * * *", "*/0 * * * *",
  "1-10/0 * * * *", "0 0 1-31/40 * *", "0 0 * * 0-6/7", "0 0 * * 0-6/8", "0/10 * * * *", "/10 * * * *", "5/15 * * * *",
  "0 0 * * 1/2", "*/5/5 * * * *", "1/2/3 * * * *", "1-5, * * * *", ",1 * * * *", "1,,2 * * * *", "5-1 * * * *",
  "0 22-2 * * *", "5- * * * *", "-5 * * * *", "-1 * * * *", "1-2-3 * * * *", "*-5 * * * *", "** * * * *", "*5 * * * *",
  "5* * * * *", "5W5 * * * *", "0 0 5W5 * *", "1.5 * * * *", "+1 * * * *", "a * * * *", "60 * * * *", "1-70 * * * *",
  "0 24 * * *", "0 0 0 * *", "0 0 32 * *", "* * * 0 *", "* * * 13 *", "0 0 * * 8", "007 * * * *", "99999999999 * * * *",
  "*,5 * * * *", "0 0 *,5 * 1", "0 0 * * *,1", "0 0 1-31 * 1", "0 0 */1 * 1", "0 0 1 * */1", "*/30,*/45 * * * *",
  "0 0 * * L", "0 0 * * L5", "0 0 * * LFRI", "0 0 * * FRIL", "0 0 * * 1-5L", "0 0 * * MON-FRIL", "0 0 * * 7#L",
  "0 0 * * 7#1", "0 0 * * 0L", "0 0 * * 5#6", "0 0 * * 5#0", "0 0 * * 5#", "0 0 * * #2", "0 0 * * 5#a", "0 0 * * 5#2L",
  "0 0 * * *#2", "0 0 * * *L", "0 0 * * */2#2", "0 0 * * */2L", "0 0 * * 1-5/2#2", "0 0 * * 1-5/2L", "0 0 * * 1,5#2",
  "0 0 * * 5#2,5#4", "0 0 * * 5,5#2", "0 0 * * L#5", "0 0 5#2 * *", "0 0 * 5L *", "L * * * *", "0 W * * *",
  "0 0 L,15 * *", "0 0 15,L * *", "0 0 1L * *", "0 0 15L * *", "0 0 L15 * *", "0 0 LL * *", "0 0 L-3 * *", "0 0 L/2 * *",
  "0 0 l * *", "0 0 lw * *", "0 0 WL * *", "0 0 LW,1 * *", "0 0 1,LW * *", "0 0 L,15W * *", "0 0 L,L * *", "0 0 *,L * *",
  "0 0 15w * *", "0 0 W * *", "0 0 W15 * *", "0 0 0W * *", "0 0 32W * *", "0 0 31W * *", "0 0 1-5W * *", "0 0 1W,15W * *",
  "0 0 15W-20 * *", "0 0 * * 5W", "0 0 31W 2,4 +MON", "0 0 L * MON", "0 0 L * +MON", "0 0 31 * +1#L", "0 0 29 2 +1",
  "0 0 * * +FRI", "0 0 1 * +*", "0 0 1 * + FRI", "0 0 * * ++5", "0 0 * * 1+5", "0 0 +1 * *", "+0 0 * * *", "0 0 1 * +",
  "0 0 * jan-mar *", "0 0 * JANUARY *", "0 0 * JAN,1,feb *", "JAN * * * *", "0 0 JAN * *", "0 0 * MON *", "0 0 * * JAN",
  "0 0 * * MONDAY", "0 0 * * SUN-TUE", "0 0 * * FRI-MON", "0 0 * * MON-SUN", "0 0 * * SAT-SUN", "0 0 * * SUN-SUN",
  "0 0 * * 0-0", "0 0 * * 0-7", "0 0 * * 5-7", "0 0 * * MON-FRI/2", "0 0 * * SUN,7,0", "0 0 30 2 *", "0 0 31 2,4 *",
  "0 0 31 4 1", "0 0 31 4 +1", "0 0 29 2 *", "0 0 0 1 1 * 2020", "0 0 0 1 1 * 2020-2030", "0 0 0 1 1 * 2020-2030/3",
  "0 0 0 1 1 * */2", "0 0 0 1 1 * 0", "0 0 0 1 1 * 4999", "0 0 0 1 1 * 5001", "0 0 0 1 1 * 10000", "0 0 0 1 1 * ?",
  "? * * * * * *", "?/5 * * * *", "1,? * * * *", "0 0 ?/5 * *", "0 0 ? * ?", "0 0 15 ? *", "0 0 15 * ?", "0 0 ? * MON",
  "@DAILY", "@Daily", "@daily *", "@every 5m", "@minutely", "@", "* * * *", "* * * * * * * *", "*", "tomorrow",
  "2027-01-01T00:00", "2027-01-01T00:00:00Z", "2027-01-01 00:00:00", "2027-01-01T00:00:00+02:00", "2027-01-01",
  "2020-01-01T00:00:00", "2027-13-01T00:00:00", "12:30", "2027-12-24T12:00:00 foo",
];

// A generator with a seed, so that the file is the same when it is made again.
let seed = 20261122;
function chance(n) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
}
const between = (min, max) => min + chance(max - min + 1);

function item(min, max, extra) {
  const from = between(min, max);
  const forms = [
    () => `${from}`,
    () => `${from}-${between(from, max)}`,
    () => `${from}-${between(from, max)}/${between(1, 4)}`,
    () => `*/${between(1, max - min + 1)}`,
    ...extra.map((form) => () => form(from)),
  ];
  return forms[chance(forms.length)]();
}
function field(min, max, extra = []) {
  if (chance(3) === 0) return "*";
  return Array.from({ length: between(1, 3) }, () => item(min, max, extra)).join(",");
}
const DAYS = [() => "L", (day) => `${day}W`];
const NAMES = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
const WEEKDAYS = [(day) => NAMES[day], (day) => `${day}#${between(1, 5)}`, (day) => `${NAMES[day]}#L`, (day) => `${day}L`];

function random() {
  const fields = [field(0, 59), field(0, 23), field(1, 31, DAYS), field(1, 12), field(0, 7, WEEKDAYS)];
  if (chance(5) === 0) fields[4] = `+${fields[4]}`;
  if (chance(4) === 0) fields.unshift(field(0, 59));
  return fields.join(" ");
}

function runs(pattern) {
  try {
    const times = new Cron(pattern, { timezone: "UTC" }).nextRuns(3, AFTER);
    return times.map((time) => time.toISOString().replace(".000", "")).join(" ") || "never";
  } catch (error) {
    // It looks for a run by recursion, year after year, and where there is none the stack may end first.
    return /call stack/.test(error.message) ? "never" : "refused";
  }
}

for (const pattern of [...DOCUMENTED, ...EDGES, ...Array.from({ length: 300 }, random)]) {
  console.log(`${pattern} | ${runs(pattern)}`);
}
