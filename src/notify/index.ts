export { deliver, describeChannel } from "./deliver.ts";
