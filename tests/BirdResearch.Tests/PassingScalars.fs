/// Finds, in compiled code, the calls that hand libtorch a number as an object nobody keeps: a collection during such a call can free it.
module BirdResearch.Tests.PassingScalars

open System
open System.Reflection
open System.Reflection.Emit
open TorchSharp

let private everything = BindingFlags.Public ||| BindingFlags.NonPublic ||| BindingFlags.Static ||| BindingFlags.Instance ||| BindingFlags.DeclaredOnly

let private codes =
    dict [ for field in typeof<OpCodes>.GetFields(BindingFlags.Public ||| BindingFlags.Static) do
             let code = unbox<OpCode> (nonNull (field.GetValue null))
             code.Value, code ]

let private operandSize (il: byte[]) at (code: OpCode) =
    match code.OperandType with
    | OperandType.InlineNone -> 0
    | OperandType.ShortInlineBrTarget | OperandType.ShortInlineI | OperandType.ShortInlineVar -> 1
    | OperandType.InlineVar -> 2
    | OperandType.InlineI8 | OperandType.InlineR -> 8
    | OperandType.InlineSwitch -> 4 + 4 * BitConverter.ToInt32(il, at)
    | _ -> 4

/// Methods that a method's own instructions name.
let private calls (caller: MethodBase) : MethodBase list =
    match caller.GetMethodBody() with
    | null -> []
    | body ->
        let il = nonNull (body.GetILAsByteArray())
        let typeArguments = match caller.DeclaringType with null -> [||] | t -> t.GetGenericArguments()
        let methodArguments = if caller.IsGenericMethod then caller.GetGenericArguments() else [||]
        let rec walk at found =
            if at >= il.Length then found
            else
                let wide = il[at] = 0xFEuy
                let code = codes[if wide then int16 (0xFE00 ||| int il[at + 1]) else int16 il[at]]
                let operand = if wide then at + 2 else at + 1
                let found =
                    if code.OperandType <> OperandType.InlineMethod then found
                    else
                        match caller.Module.ResolveMethod(BitConverter.ToInt32(il, operand), typeArguments, methodArguments) with
                        | null -> found
                        | called -> called :: found
                walk (operand + operandSize il operand code) found
        walk 0 []

let private methodsOf (assembly: Assembly) =
    [ for t in assembly.GetTypes() do
        yield! t.GetMethods everything |> Seq.cast<MethodBase>
        yield! t.GetConstructors everything |> Seq.cast<MethodBase> ]

let private isScalar (t: Type | null) = match t with null -> false | t -> t = typeof<Scalar> || t.Name = "ScalarExtensionMethods"

/// A conversion or constructor that makes a Scalar.
let private makesScalar (called: MethodBase) =
    isScalar called.DeclaringType
    && (called.IsConstructor || match called with :? MethodInfo as m -> m.ReturnType = typeof<Scalar> | _ -> false)

/// TorchSharp's own methods that make one, or call one that does.
let private unsafeOfTorchSharp =
    lazy
        (let callees = [ for m in methodsOf typeof<torch>.Assembly do if not (isScalar m.DeclaringType) then m, calls m ]
         let rec grow (known: Collections.Generic.HashSet<MethodBase>) =
             let more = [ for m, called in callees do if not (known.Contains m) && List.exists known.Contains called then m ]
             if more.IsEmpty then known
             else
                 for m in more do known.Add m |> ignore
                 grow known
         grow (Collections.Generic.HashSet [ for m, called in callees do if List.exists makesScalar called then m ]))

let private nameOf (m: MethodBase) = (match m.DeclaringType with null -> "" | t -> $"{t}.") + m.Name

/// Methods of an assembly, constructors and static initialisers apart, that make a Scalar in passing, with what they call.
let sitesIn (assembly: Assembly) =
    [ for m in methodsOf assembly do
        if not (m :? ConstructorInfo) then
            match [ for called in calls m do if makesScalar called || unsafeOfTorchSharp.Value.Contains called then called.Name ] with
            | [] -> ()
            | found -> nameOf m, List.distinct found ]
