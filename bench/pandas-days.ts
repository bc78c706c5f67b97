import { pandasSeconds } from './pandas.ts';

/**
 * What a script of an afternoon does with the month files: a Parquet file a day as published, and
 * the day's energy. No ledger, no checks, no metrics.
 */
const SCRIPT = `
import glob, os, sys, time
import pandas as pd
start = time.time()
os.makedirs(sys.argv[2])
energy = {}
for month in sorted(glob.glob(sys.argv[1] + "/*")):
    rows = pd.read_csv(month, sep=";", dtype=str)
    load = pd.to_numeric(rows["Consommation (MW)"], errors="coerce")
    energy.update((load.groupby(rows["Date"]).sum() / 4).to_dict())
    for day, own in rows.groupby("Date"):
        own.sort_values("Date et Heure").to_parquet(sys.argv[2] + "/" + day + ".parquet", index=False)
print(time.time() - start, len(energy))
`;

/**
 * Seconds for all month files of a folder, days into another; undefined where pandas cannot be
 * installed.
 */
export function pandasDaysSeconds(months: string, days: string): Promise<number | undefined> {
  return pandasSeconds(SCRIPT, [months, days]);
}
