import { clsx } from "clsx";
import { useQuery } from "convex/react";
import { api } from "../convex/_generated/api";
import { label } from "@/label";

export default function App() {
  const notes = useQuery(api.notes.list) ?? [];
  return <main className={clsx("notes", notes.length === 0 && "empty")}>{label(notes.length)}</main>;
}

export const plural = (count: number): string => (count === 1 ? "note" : "notes");
