import { pandasSeconds } from './pandas.ts';

/**
 * The way in which the earlier system read road counts: pandas, chunk by chunk, with groups by arc
 * in each chunk.
 */

const SCRIPT = `
import sys, time
import pandas as pd
start = time.time()
parts = []
for chunk in pd.read_csv(sys.argv[1], sep=";", chunksize=100_000, low_memory=False):
    chunk["at"] = pd.to_datetime(chunk["Date et heure de comptage"], errors="coerce", utc=True)
    chunk["q"] = pd.to_numeric(chunk["Débit horaire"], errors="coerce")
    chunk["k"] = pd.to_numeric(chunk["Taux d'occupation"], errors="coerce")
    for arc, group in chunk.groupby("Identifiant arc"):
        parts.append({
            "arc": arc, "label": group["Libelle"].iloc[0], "total": group["q"].sum(), "mean": group["q"].mean(),
            "peak": group["q"].max(), "k": group["k"].mean(), "state": group["Etat trafic"].mode().iat[0],
        })
frame = pd.DataFrame(parts).groupby("arc").agg({"total": "sum", "mean": "mean", "peak": "max", "k": "mean"})
print(time.time() - start, len(frame))
`;

/** Seconds of one pass over the file; undefined where pandas cannot be installed. */
export function originalSeconds(file: string): Promise<number | undefined> {
  return pandasSeconds(SCRIPT, [file]);
}
