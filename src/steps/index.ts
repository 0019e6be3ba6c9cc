export { onStep, reached, STEPS, type Step } from "./steps.ts";
