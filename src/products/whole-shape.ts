import { arraysOf, type VirtualGroup } from "../virtual/index.ts";
import { type GranuleShape, isPublishable, NO_AXIS } from "./granule-shape.ts";

/** A granule that is the whole product: its arrays are the product's, however long they are. */
export function shapeWhole(root: VirtualGroup, validMs: number): GranuleShape {
  const arrays = [...arraysOf(root)]
    .filter(([, array]) => isPublishable(array))
    .map(([path, array]) => ({ path, role: "whole", axisIndex: undefined, isNewAxis: false, array }) as const);
  return {
    dimension: "",
    arrays,
    validMs: [validMs],
    ...NO_AXIS,
  };
}
