/** Name of the window in which the Lesson page shows a page in small. */
export const PREVIEW = "capsviz-preview";
