/** Drop-down menus: commands, submenus, choices of one and switches, with arrow keys and type-ahead. */
import { Check, ChevronRight, type LucideIcon } from "lucide-react";
import { DropdownMenu as Primitive } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { classes } from "./classes";
import { Keys } from "./Keys";
import { useLayer } from "./layer";
import "./Menu.css";

export interface MenuProps {
  /** The button that opens it; takes a ref and spreads its props. */
  readonly trigger: ReactElement;
  readonly children: ReactNode;
  readonly align?: "start" | "center" | "end";
  readonly side?: "top" | "right" | "bottom" | "left";
  readonly open?: boolean;
  readonly onOpenChange?: (open: boolean) => void;
  /** Runs before focus returns to the trigger; `event.preventDefault()` keeps it where it is. */
  readonly onCloseAutoFocus?: (event: Event) => void;
  readonly className?: string;
}

export function Menu({
  trigger,
  children,
  align = "start",
  side = "bottom",
  open,
  onOpenChange,
  onCloseAutoFocus,
  className,
}: MenuProps) {
  const layer = useLayer<HTMLButtonElement>(open, onOpenChange);
  return (
    <Primitive.Root modal={false} {...layer.root}>
      <Primitive.Trigger asChild ref={layer.trigger}>
        {trigger}
      </Primitive.Trigger>
      <Primitive.Portal container={layer.container}>
        <Primitive.Content
          className={classes("ui-menu", className)}
          align={align}
          side={side}
          sideOffset={6}
          collisionPadding={8}
          {...(onCloseAutoFocus === undefined ? {} : { onCloseAutoFocus })}
        >
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

export interface MenuItemProps {
  readonly children: ReactNode;
  readonly onSelect: (event: Event) => void;
  readonly icon?: LucideIcon;
  readonly shortcut?: string;
  readonly disabled?: boolean;
  readonly tone?: "plain" | "danger";
}

export function MenuItem({
  children,
  onSelect,
  icon: Icon,
  shortcut,
  disabled = false,
  tone,
}: MenuItemProps) {
  return (
    <Primitive.Item
      className={classes("ui-menu-item", tone === "danger" && "ui-menu-item--danger")}
      onSelect={onSelect}
      disabled={disabled}
    >
      <span className="ui-menu-item-icon">{Icon && <Icon aria-hidden="true" size={16} />}</span>
      <span className="ui-menu-item-label">{children}</span>
      {shortcut !== undefined && <Keys shortcut={shortcut} />}
    </Primitive.Item>
  );
}

export interface MenuCheckItemProps {
  readonly children: ReactNode;
  readonly checked: boolean;
  readonly onCheckedChange: (checked: boolean) => void;
  readonly shortcut?: string;
}

export function MenuCheckItem({ children, checked, onCheckedChange, shortcut }: MenuCheckItemProps) {
  return (
    <Primitive.CheckboxItem className="ui-menu-item" checked={checked} onCheckedChange={onCheckedChange}>
      <CheckMark />
      <span className="ui-menu-item-label">{children}</span>
      {shortcut !== undefined && <Keys shortcut={shortcut} />}
    </Primitive.CheckboxItem>
  );
}

export interface MenuChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly options: readonly {
    readonly value: Value;
    readonly label: ReactNode;
    readonly icon?: LucideIcon;
  }[];
}

/** A group of which one is chosen. */
export function MenuChoice<Value extends string>({
  label,
  value,
  onChange,
  options,
}: MenuChoiceProps<Value>) {
  const choose = (chosen: string) => {
    const option = options.find((candidate) => candidate.value === chosen);
    if (option) onChange(option.value);
  };
  return (
    <Primitive.RadioGroup value={value} onValueChange={choose} aria-label={label}>
      {options.map(({ value: option, label: words, icon: Icon }) => (
        <Primitive.RadioItem key={option} value={option} className="ui-menu-item">
          <span className="ui-menu-item-icon">{Icon && <Icon aria-hidden="true" size={16} />}</span>
          <span className="ui-menu-item-label">{words}</span>
          <CheckMark />
        </Primitive.RadioItem>
      ))}
    </Primitive.RadioGroup>
  );
}

function CheckMark() {
  return (
    <span className="ui-menu-item-icon">
      <Primitive.ItemIndicator asChild>
        <Check aria-hidden="true" size={16} />
      </Primitive.ItemIndicator>
    </span>
  );
}

export interface SubMenuProps {
  readonly label: ReactNode;
  readonly icon?: LucideIcon;
  readonly children: ReactNode;
}

export function SubMenu({ label, icon: Icon, children }: SubMenuProps) {
  const layer = useLayer<HTMLDivElement>();
  return (
    <Primitive.Sub {...layer.root}>
      <Primitive.SubTrigger className="ui-menu-item" ref={layer.trigger}>
        <span className="ui-menu-item-icon">{Icon && <Icon aria-hidden="true" size={16} />}</span>
        <span className="ui-menu-item-label">{label}</span>
        <ChevronRight aria-hidden="true" size={15} />
      </Primitive.SubTrigger>
      <Primitive.Portal container={layer.container}>
        <Primitive.SubContent
          className="ui-menu ui-submenu"
          sideOffset={4}
          collisionPadding={8}
          onFocusOutside={keepOpenBetweenItems}
        >
          {children}
        </Primitive.SubContent>
      </Primitive.Portal>
    </Primitive.Sub>
  );
}

/** The focus is on a menu, and on no item, while the pointer is on its way from one to another. */
function keepOpenBetweenItems(event: Event) {
  if (event.target instanceof Element && event.target.matches("[role=menu]")) event.preventDefault();
}

export function MenuLabel({ children }: { readonly children: ReactNode }) {
  return <Primitive.Label className="ui-menu-label">{children}</Primitive.Label>;
}

export function MenuSeparator() {
  return <Primitive.Separator className="ui-menu-separator" />;
}
