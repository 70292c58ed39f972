/**
 * The functions that checks may call, by their names in polars' JSON, with the fewest and the most inputs they take. What
 * is not here is refused when a pipeline is deployed; what is here the pods compute
 * (apps/inference/src/pod/expressions).
 */
export const polarsFunctions = {
  Abs: [1, 1],
  Ceil: [1, 1],
  Coalesce: [1, 100],
  Exp: [1, 1],
  FillNull: [2, 2],
  Floor: [1, 1],
  Log1p: [1, 1],
  Sign: [1, 1],
  'Pow.Cbrt': [1, 1],
  'Pow.Generic': [2, 2],
  'Pow.Sqrt': [1, 1],
  'Trigonometry.ArcCos': [1, 1],
  'Trigonometry.ArcSin': [1, 1],
  'Trigonometry.ArcTan': [1, 1],
  'Trigonometry.Cos': [1, 1],
  'Trigonometry.Cosh': [1, 1],
  'Trigonometry.Sin': [1, 1],
  'Trigonometry.Sinh': [1, 1],
  'Trigonometry.Tan': [1, 1],
  'Trigonometry.Tanh': [1, 1],
  'Boolean.AllHorizontal': [1, 100],
  'Boolean.AnyHorizontal': [1, 100],
  'Boolean.IsFinite': [1, 1],
  'Boolean.IsIn': [2, 2],
  'Boolean.IsInfinite': [1, 1],
  'Boolean.IsNan': [1, 1],
  'Boolean.IsNot': [1, 1],
  'Boolean.IsNotNan': [1, 1],
  'Boolean.IsNotNull': [1, 1],
  'Boolean.IsNull': [1, 1],
  'ListExpr.All': [1, 1],
  'ListExpr.Any': [1, 1],
  'ListExpr.Contains': [2, 2],
  'ListExpr.Get': [2, 2],
  'ListExpr.Length': [1, 1],
  'ListExpr.Max': [1, 1],
  'ListExpr.Mean': [1, 1],
  'ListExpr.Min': [1, 1],
  'ListExpr.Slice': [3, 3],
  'ListExpr.Sum': [1, 1],
  'StringExpr.Contains': [2, 2],
  'StringExpr.EndsWith': [2, 2],
  'StringExpr.Length': [1, 1],
  'StringExpr.Lowercase': [1, 1],
  'StringExpr.NChars': [1, 1],
  'StringExpr.StartsWith': [2, 2],
  'StringExpr.Strip': [1, 1],
  'StringExpr.Uppercase': [1, 1],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type PolarsFunction = keyof typeof polarsFunctions;

/** Functions whose parameters stand in the expression itself: `log` takes a base, `round` decimals, `clip` bounds. */
export const parameterFunctions = ['Clip', 'Log', 'Round'] as const;

/** Families of functions: `{"ListExpr": "Get"}` is `ListExpr.Get`, also where the member has parameters. */
const families = new Set(['Boolean', 'ListExpr', 'Pow', 'StringExpr', 'StructExpr', 'TemporalExpr', 'Trigonometry']);

/** The name of a function as polars' JSON has it: `"Abs"`, `{"ListExpr": "Get"}`, `{"Log": {"base": 10}}`. */
export function functionName(json: unknown): string {
  if (typeof json === 'string') return json;
  if (typeof json !== 'object' || json === null) return String(json);
  const [entry] = Object.entries(json);
  if (entry === undefined) return '{}';
  const [name, member] = entry;
  return families.has(name) ? `${name}.${functionName(member)}` : name;
}
