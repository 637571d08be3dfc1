/** The largest float32 that is not above x; NaN stays NaN. */
export function roundDownToFloat32(x: number): number {
  const nearest = Math.fround(x);
  return nearest > x ? nextFloat32Below(nearest) : nearest;
}

function nextFloat32Below(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  if (value === 0) view.setUint32(0, 0x80000001);
  else view.setUint32(0, value > 0 ? bits - 1 : bits + 1);
  return view.getFloat32(0);
}
