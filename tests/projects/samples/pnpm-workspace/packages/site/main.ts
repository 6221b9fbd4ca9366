import { twice } from "@sample/util";

console.log(twice(21));
