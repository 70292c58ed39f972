// Read when a zip is uploaded, too, so that a bad line is told at once.
export { type ReadRequirements, type Requirement, readRequirements } from '@pademelon/archive';
