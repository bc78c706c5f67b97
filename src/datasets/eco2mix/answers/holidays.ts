/**
 * The public holidays of mainland France (code du travail, article L3133-1) as SQL: eight of a fixed date, and three that follow Easter, whose
 * date is that of the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8).
 */

const FIXED = ['01-01', '05-01', '05-08', '07-14', '08-15', '11-01', '11-11', '12-25'];
/** Easter Monday, Ascension and Whit Monday, in days after Easter Sunday. */
const AFTER_EASTER = [1, 39, 50];

/** A list of dates: the holidays of the year of `date`, an SQL expression of type DATE. */
export function holidaysSql(date: string): string {
  const year = `year(${date})`;
  const fixed = FIXED.map((day) => `CAST(${year} || '-${day}' AS DATE)`);
  const following = AFTER_EASTER.map((days) => `${easterSql(year)} + ${days}`);
  return [...fixed, ...following].join(', ');
}

function easterSql(year: string): string {
  const golden = `(${year} % 19)`;
  const century = `(${year} // 100)`;
  const moon = `((19 * ${golden} + ${century} - ${century} // 4 - (${century} - (${century} + 8) // 25 + 1) // 3 + 15) % 30)`;
  const week = `((32 + 2 * (${century} % 4) + 2 * ((${year} % 100) // 4) - ${moon} - (${year} % 100) % 4) % 7)`;
  const late = `((${golden} + 11 * ${moon} + 22 * ${week}) // 451)`;
  const count = `(${moon} + ${week} - 7 * ${late} + 114)`;
  return `make_date(${year}, ${count} // 31, ${count} % 31 + 1)`;
}
