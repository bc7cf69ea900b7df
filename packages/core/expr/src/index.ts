// @heed/expr: arithmetic as data. Nodes, typed builders, and the passes over them.

export * from './author.ts';
export { type Box, bounder, bounds, decide, type Interval } from './bounds.ts';
export { type CheapenOptions, type Cheaper, cheapen } from './cheapen.ts';
export { derive } from './derive.ts';
export { ExpressionError, HeedError } from './error.ts';
export { type Cursor, type Evaluator, evaluate, evaluator, type Result } from './evaluate.ts';
export { build, constant, input } from './infer.ts';
export { didYouMean, near } from './near.ts';
export { asExpr, asNode, type Expr, Graph, graph, isExpr, literal, type Node, type NodeOf } from './node.ts';
export * from './op.ts';
export { parse } from './parse.ts';
export { type PrintOptions, print, signature } from './print.ts';
export { coefficientOf, type RowTerm, rowTerms } from './row-terms.ts';
export { type SimplifyOptions, simplify } from './simplify.ts';
export { type Hoisted, type Staged, type StageOptions, stage } from './stage.ts';
export { threefry } from './threefry.ts';
export { type Declare, type Declared, trace } from './trace.ts';
export * from './type.ts';
export type { TableValue, Value, View } from './value.ts';
export { inputsOf, reachable, rebuild, substitute } from './walk.ts';
