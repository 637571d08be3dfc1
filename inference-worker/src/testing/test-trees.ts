import {
  type Random,
  randomInteger,
  randomNormal,
  seededRandom,
  type Tree,
  type TreeEnsemble,
} from '@sextant/learning';

/** Trees grown leaf by leaf at random, unbalanced as LightGBM's are, with splits around 0. */
export function anEnsemble(size: {
  seed: number;
  trees: number;
  leaves: number;
  columns: number;
}): TreeEnsemble {
  const random = seededRandom(size.seed);
  return { baseScore: -0.5, trees: Array.from({ length: size.trees }, () => aTree(random, size)) };
}

function aTree(random: Random, { leaves, columns }: { leaves: number; columns: number }): Tree {
  const leaf = () => ({ feature: -1, threshold: 0, left: -1, right: -1, value: 0.1 * randomNormal(random) });
  const nodes = [leaf()];
  while (nodes.length < 2 * leaves - 1) {
    const open = nodes.filter((node) => node.feature < 0);
    const node = open[randomInteger(random, open.length)] ?? leaf();
    Object.assign(node, { feature: randomInteger(random, columns), threshold: randomNormal(random) });
    node.left = nodes.push(leaf()) - 1;
    node.right = nodes.push(leaf()) - 1;
  }
  return {
    feature: Int32Array.from(nodes, (node) => node.feature),
    threshold: Float64Array.from(nodes, (node) => node.threshold),
    left: Int32Array.from(nodes, (node) => node.left),
    right: Int32Array.from(nodes, (node) => node.right),
    defaultLeft: Uint8Array.from(nodes, () => randomInteger(random, 2)),
    value: Float64Array.from(nodes, (node) => node.value),
    cover: new Float64Array(nodes.length).fill(1),
  };
}
