import confetti from "canvas-confetti";
import { area } from "./area";

confetti({ particleCount: area({ width: 2, height: 3 }) });
